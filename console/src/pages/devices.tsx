// SPDX-License-Identifier: Apache-2.0
// All devices: found by the server, shown as they scroll into sight, and changed many at a time.
import { Button, Select, Spinner } from "@fluentui/react-components";
import { useCallback, useState } from "react";
import { Link, useSearchParams } from "react-router-dom";
import { all, segment, type Refused } from "../api/client.ts";
import { useAll, usePages } from "../api/hooks.ts";
import type { DeviceState, Group, ListedDevice } from "../api/schema.ts";
import { AddIcon, DevicesIcon } from "../icons.ts";
import { Act } from "../parts/act.tsx";
import { Page } from "../parts/page.tsx";
import { Pill, StatePill } from "../parts/pill.tsx";
import { EntryLink } from "../parts/refusal.tsx";
import { Search } from "../parts/search.tsx";
import { EmptyState, ErrorBar } from "../parts/states.tsx";
import { paged, VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { text } from "../text.ts";
import { BulkDialog, type BulkWord } from "./bulk.tsx";
import { DevicesTabs } from "./device_tabs.tsx";
import { NewDevice } from "./new_device.tsx";

const words = text.devices;
const states: DeviceState[] = ["registered", "provisioned", "waiting-for-approval", "blocked"];

const columns: Column<ListedDevice>[] = [
    { key: "id", name: words.columns.id, width: "minmax(140px, 1.6fr)", show: (device) => <Link className="row-link" to={`/ui/devices/${segment(device.id)}`}>{device.id}</Link> },
    { key: "state", name: words.columns.state, width: "178px", show: (device) => <StatePill state={device.state} /> },
    { key: "connected", name: words.columns.connected, width: "118px", from: 760, show: (device) => (device.connected ? <Pill tone="good">{words.connected}</Pill> : <span className="quiet">{text.common.no}</span>) },
    { key: "entry", name: words.columns.entry, width: "minmax(140px, 1fr)", from: 620, show: (device) => <EntryLink entry={device.entry} /> },
    { key: "slot", name: words.columns.slot, width: "96px", from: 900, show: (device) => (device.slot ? text.slots.title[device.slot] : "–") },
    { key: "ends", name: words.columns.ends, width: "136px", from: 1000, show: (device) => (device.leafNotAfter ? <Time at={device.leafNotAfter} shape="date" /> : "–") },
    { key: "registered", name: words.columns.registered, width: "132px", from: 820, show: (device) => <Time at={device.lastRegistered ?? null} shape="relative" /> },
];

export default function Devices() {
    const [params, setParams] = useSearchParams();
    const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
    const [bulk, setBulk] = useState<BulkWord | null>(null);
    const [creating, setCreating] = useState(false);
    const [reading, setReading] = useState<number | null>(null);
    const [refused, setRefused] = useState<Refused | null>(null);
    const search = params.get("search") ?? "";
    const state = params.get("state") ?? "";
    const group = params.get("group") ?? "";
    const individual = params.get("individual") === "true";
    const query = { search, state, group, individual: individual || undefined, total: true };
    const devices = usePages<ListedDevice>("/devices", query, { every: 30_000 });
    const groups = useAll<Group>("/groups");
    const set = useCallback((changes: Record<string, string>) => {
        setChosen(new Set());
        setParams((before) => {
            const next = new URLSearchParams(before);
            for (const [name, value] of Object.entries(changes)) {
                if (value) next.set(name, value);
                else next.delete(name);
            }
            return next;
        }, { replace: true });
    }, [setParams]);
    const filtered = Boolean(search || state || group || individual);
    const rows = devices.data?.items;
    const total = devices.data?.total;
    const selectMatching = async () => {
        setReading(0);
        setRefused(null);
        try {
            const found = await all<ListedDevice>("/devices", { search, state, group, individual: individual || undefined }, setReading);
            setChosen(new Set(found.map((device) => device.id)));
        } catch (error) {
            setRefused(error as Refused);
        } finally {
            setReading(null);
        }
    };
    const create = <Act appearance="primary" icon={<AddIcon />} needs="enrollment.write" onClick={() => setCreating(true)}>{words.new}</Act>;
    return (
        <Page title={words.title} lead={words.lead} actions={create} fill>
            <DevicesTabs />
            <VirtualTable label={words.title} rows={rows} columns={columns} id={(device) => device.id} {...paged(devices)}
                selection={{ chosen, change: setChosen }}
                tools={chosen.size > 0 ? (
                    <div className="tools selected" role="toolbar" aria-label={text.common.actions}>
                        <span className="strong" role="status">{text.table.selected(chosen.size)}</span>
                        {(["approve", "block", "unblock", "delete"] as const).map((word) => (
                            <Act key={word} size="small" needs="device.write" onClick={() => setBulk(word)}>{words[word]}</Act>
                        ))}
                        <Button size="small" appearance="subtle" onClick={() => setChosen(new Set())}>{text.table.clear}</Button>
                        {rows && (devices.hasNextPage || (total ?? 0) > chosen.size) && (
                            <Button size="small" appearance="subtle" disabled={reading !== null} icon={reading !== null ? <Spinner size="extra-tiny" /> : undefined} onClick={() => void selectMatching()}>
                                {reading !== null ? words.selecting(reading) : words.selectMatching}
                            </Button>
                        )}
                        <ErrorBar refused={refused} />
                    </div>
                ) : (
                    <div className="tools">
                        <Search value={search} label={words.search} onChange={(value) => set({ search: value })} />
                        <Select aria-label={words.filterState} value={state} onChange={(_, data) => set({ state: data.value })}>
                            <option value="">{words.anyState}</option>
                            {states.map((one) => <option key={one} value={one}>{text.states[one]}</option>)}
                        </Select>
                        <Select aria-label={words.filterGroup} value={individual ? "individual" : group ? `group:${group}` : ""}
                            onChange={(_, data) => set(data.value === "individual" ? { individual: "true", group: "" } : { individual: "", group: data.value.replace(/^group:/, "") })}>
                            <option value="">{words.anyEntry}</option>
                            <option value="individual">{words.individual}</option>
                            {groups.data?.map((one) => <option key={one.id} value={`group:${one.id}`}>{words.group(one.id)}</option>)}
                            {group && !groups.data?.some((one) => one.id === group) && <option value={`group:${group}`}>{words.group(group)}</option>}
                        </Select>
                    </div>
                )}
                empty={filtered
                    ? <EmptyState picture={<DevicesIcon />} title={text.table.nothing} actions={<Button onClick={() => set({ search: "", state: "", group: "", individual: "" })}>{text.table.clear}</Button>}><p>{text.table.nothingHint}</p></EmptyState>
                    : <EmptyState picture={<DevicesIcon />} title={words.empty} actions={create}><p>{words.emptyHint}</p></EmptyState>} />
            {bulk && <BulkDialog word={bulk} ids={[...chosen]} close={() => setBulk(null)} done={() => setChosen(new Set())} />}
            {creating && <NewDevice close={() => setCreating(false)} />}
        </Page>
    );
}
