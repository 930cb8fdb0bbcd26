// SPDX-License-Identifier: Apache-2.0
// The newest refusals, also of strangers; each with everything that was found.
import { Button, DrawerBody, DrawerHeader, DrawerHeaderTitle, OverlayDrawer, Select } from "@fluentui/react-components";
import { useCallback, useMemo } from "react";
import { Link, useSearchParams } from "react-router-dom";
import { segment } from "../api/client.ts";
import { useOne } from "../api/hooks.ts";
import type { Refusal, RefusalPage } from "../api/schema.ts";
import { CloseIcon, VerifyIcon } from "../icons.ts";
import { Page } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { causeName, RefusalView } from "../parts/refusal.tsx";
import { Search } from "../parts/search.tsx";
import { EmptyState } from "../parts/states.tsx";
import { VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { sentence, text } from "../text.ts";
import { DevicesTabs } from "./device_tabs.tsx";

const words = text.refusals;

export default function Refusals() {
    const [params, setParams] = useSearchParams();
    const search = params.get("search") ?? "";
    const cause = params.get("cause") ?? "";
    const open = params.get("id");
    const refusals = useOne<RefusalPage>("/refusals", { limit: 1000 }, { every: 15_000 });
    const set = useCallback((changes: Record<string, string>) => setParams((before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(changes)) {
            if (value) next.set(name, value);
            else next.delete(name);
        }
        return next;
    }, { replace: true }), [setParams]);
    const items = refusals.data?.items;
    const causes = useMemo(() => [...new Set(items?.map((one) => one.cause))].sort(), [items]);
    const shown = useMemo(() => {
        const wanted = search.toLowerCase();
        return items?.filter((one) => (!cause || one.cause === cause)
            && [one.registrationId, one.explanation, one.peerAddress].some((word) => word.toLowerCase().includes(wanted)));
    }, [items, search, cause]);
    const chosen = items?.find((one) => one.registrationId === open);
    const columns: Column<Refusal>[] = [
        { key: "id", name: words.columns.id, width: "minmax(130px, 1fr)", show: (one) => <Link className="row-link" to={`?${new URLSearchParams({ ...Object.fromEntries(params), id: one.registrationId }).toString()}`}>{one.registrationId}</Link> },
        { key: "cause", name: words.columns.cause, width: "180px", show: (one) => <Pill tone="bad">{causeName(one.cause)}</Pill> },
        { key: "explanation", name: words.columns.explanation, width: "minmax(200px, 3fr)", from: 820, show: (one) => <span title={one.explanation}>{sentence(one.explanation)}</span> },
        { key: "at", name: words.columns.at, width: "130px", from: 560, show: (one) => <Time at={one.at} shape="relative" /> },
    ];
    return (
        <Page title={text.devices.title} lead={text.devices.lead} fill>
            <DevicesTabs />
            <VirtualTable label={text.devices.tabs.refusals} rows={shown} columns={columns} id={(one) => one.registrationId} pending={refusals.isPending}
                refused={refusals.error} retry={() => void refusals.refetch()}
                tools={(
                    <div className="tools">
                        <Search value={search} label={words.search} onChange={(value) => set({ search: value })} />
                        <Select aria-label={words.columns.cause} value={cause} onChange={(_, data) => set({ cause: data.value })}>
                            <option value="">{words.anyCause}</option>
                            {causes.map((one) => <option key={one} value={one}>{causeName(one)}</option>)}
                        </Select>
                    </div>
                )}
                empty={search || cause
                    ? <EmptyState picture={<VerifyIcon />} title={text.table.nothing}><p>{text.table.nothingHint}</p></EmptyState>
                    : <EmptyState picture={<VerifyIcon />} title={words.empty}><p>{words.emptyHint}</p></EmptyState>} />
            {chosen && (
                <OverlayDrawer open position="end" size="large" style={{ width: "min(720px, 100vw)" }} onOpenChange={(_, data) => { if (!data.open) set({ id: "" }); }} aria-label={words.title(chosen.registrationId)}>
                    <DrawerHeader>
                        <DrawerHeaderTitle action={<Button appearance="subtle" aria-label={text.common.close} icon={<CloseIcon />} onClick={() => set({ id: "" })} />}>{words.title(chosen.registrationId)}</DrawerHeaderTitle>
                        <Link className="link" to={`/ui/devices/${segment(chosen.registrationId)}`}>{text.devices.columns.id} {chosen.registrationId}</Link>
                    </DrawerHeader>
                    <DrawerBody><div className="panel-body" style={{ paddingTop: 12 }}><RefusalView refusal={chosen} /></div></DrawerBody>
                </OverlayDrawer>
            )}
        </Page>
    );
}
