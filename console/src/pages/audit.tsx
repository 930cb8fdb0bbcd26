// SPDX-License-Identifier: Apache-2.0
// What operators changed, the newest first, and whether the chain is whole.
import { Button, DrawerBody, DrawerHeader, DrawerHeaderTitle, Input, OverlayDrawer, Spinner } from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router-dom";
import { call } from "../api/client.ts";
import { useChange, useOne, usePages } from "../api/hooks.ts";
import type { AuditEvent, AuditSeals, AuditVerification } from "../api/schema.ts";
import { CloseIcon, DownloadIcon, HistoryIcon, VerifyIcon } from "../icons.ts";
import { csv } from "../lib/csv.ts";
import { download } from "../lib/files.ts";
import { Act } from "../parts/act.tsx";
import { CopyButton } from "../parts/copy.tsx";
import { Card, Facts, Page } from "../parts/page.tsx";
import { EmptyState, ErrorBar, Note } from "../parts/states.tsx";
import { paged, VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { text } from "../text.ts";

const words = text.audit;
const filters = ["actor", "action", "object"] as const;

function Filter({ name, value, onChange }: { name: string; value: string; onChange: (value: string) => void }) {
    const [typed, setTyped] = useState(value);
    useEffect(() => setTyped(value), [value]);
    useEffect(() => {
        if (typed === value) return undefined;
        const timer = setTimeout(() => onChange(typed), 300);
        return () => clearTimeout(timer);
    }, [typed, value, onChange]);
    return <Input value={typed} placeholder={name} aria-label={name} onChange={(_, data) => setTyped(data.value)} style={{ minWidth: 130, flex: 1, maxWidth: 240 }} />;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function Json({ value }: { value: unknown }) {
    return <pre className="json focus" tabIndex={0}>{JSON.stringify(value, null, 2)}</pre>;
}

/** Before and after, where the event tells both; else as it was written. */
function Detail({ detail }: { detail: Record<string, unknown> | null }) {
    if (!detail || Object.keys(detail).length === 0) return <p className="quiet">{text.common.none}</p>;
    const { before, after, ...rest } = detail;
    return (
        <div className="stack">
            {before !== undefined && <div className="stack tight"><span className="strong small">{words.before}</span><Json value={before} /></div>}
            {after !== undefined && <div className="stack tight"><span className="strong small">{words.after}</span><Json value={after} /></div>}
            {Object.keys(rest).length > 0 && (Object.values(rest).some(isObject) || Object.keys(rest).length > 8
                ? <Json value={rest} />
                : <Facts facts={Object.entries(rest).map(([name, value]) => [name, <span className="mono wrap">{typeof value === "string" ? value : JSON.stringify(value)}</span>])} />)}
        </div>
    );
}

export default function Audit() {
    const [params, setParams] = useSearchParams();
    const [open, setOpen] = useState<AuditEvent | null>(null);
    const [sealed, setSealed] = useState(false);
    const query = { order: "newest", ...Object.fromEntries(filters.map((name) => [name, params.get(name) ?? ""])) };
    const events = usePages<AuditEvent>("/audit", query, { every: 20_000 });
    const verify = useChange<void, AuditVerification>(() => call("GET", "/audit/verification"));
    const head = useOne<AuditSeals>("/audit/head", {}, { enabled: sealed });
    const columns: Column<AuditEvent>[] = [
        { key: "action", name: words.columns.action, width: "minmax(150px, 1.2fr)", show: (event) => <button type="button" className="row-button" onClick={() => setOpen(event)}>{event.action}</button> },
        { key: "object", name: words.columns.object, width: "minmax(130px, 1.4fr)", from: 480, show: (event) => <span className="mono" title={event.object}>{event.object}</span> },
        { key: "actor", name: words.columns.actor, width: "minmax(110px, 1fr)", show: (event) => event.actor },
        { key: "at", name: words.columns.at, width: "170px", from: 720, show: (event) => <Time at={event.at} /> },
        { key: "reason", name: words.columns.reason, width: "minmax(120px, 1.4fr)", from: 980, show: (event) => <span title={event.reason}>{event.reason || <span className="quiet">–</span>}</span> },
        { key: "sequence", name: words.columns.sequence, width: "72px", from: 620, show: (event) => <span className="tabular quiet">{event.sequence}</span> },
    ];
    const filtered = filters.some((name) => params.get(name));
    const exportShown = () => {
        const rows = events.data?.items ?? [];
        download("audit.csv", csv(["sequence", "at", "actor", "source", "action", "object", "reason", "detail", "hash"],
            rows.map((event) => [event.sequence, event.at, event.actor, event.source, event.action, event.object, event.reason, event.detail ? JSON.stringify(event.detail) : "", event.hash])), "text/csv");
    };
    return (
        <Page title={words.title} lead={words.lead} fill
            actions={(
                <>
                    <Button onClick={() => setSealed(!sealed)} aria-expanded={sealed}>{words.head}</Button>
                    <Act needs="audit.read" appearance="primary" disabled={verify.isPending} icon={verify.isPending ? <Spinner size="extra-tiny" /> : <VerifyIcon />} onClick={() => verify.mutate()}>{words.verify}</Act>
                </>
            )}>
            <ErrorBar refused={verify.error} />
            {verify.data && (
                <Note tone={verify.data.intact ? "good" : "bad"} live title={verify.data.intact ? words.intact(verify.data.events) : words.brokenAt(verify.data.brokenAt ?? 0)}>
                    {verify.data.detail}
                    {verify.data.prunedUpTo !== null && <div>{words.pruned(verify.data.prunedUpTo)}</div>}
                </Note>
            )}
            {sealed && (
                <Card title={words.head} aside={head.data && <CopyButton value={JSON.stringify(head.data, null, 2)} what={words.head} label={text.common.copy} />}>
                    <ErrorBar refused={head.error} />
                    {head.data && (
                        <div className="stack">
                            <p className="quiet">{words.headLead}</p>
                            <Facts facts={[
                                [words.columns.sequence, head.data.head.sequence],
                                [words.hash, <span className="mono wrap">{head.data.head.hash}</span>],
                                [words.key, <span className="mono wrap">{head.data.head.publicKey}</span>],
                                [words.signature, <span className="mono wrap">{head.data.head.signature}</span>],
                            ]} />
                        </div>
                    )}
                </Card>
            )}
            <VirtualTable label={words.title} rows={events.data?.items} columns={columns} id={(event) => String(event.sequence)} {...paged(events)}
                tools={(
                    <div className="tools">
                        {filters.map((name) => (
                            <Filter key={name} name={words[name]} value={params.get(name) ?? ""} onChange={(value) => setParams((before) => {
                                const next = new URLSearchParams(before);
                                if (value.trim()) next.set(name, value.trim());
                                else next.delete(name);
                                return next;
                            }, { replace: true })} />
                        ))}
                        <span className="grow" />
                        <Button size="small" icon={<DownloadIcon />} disabled={!events.data?.items.length} onClick={exportShown}>{words.exportPage}</Button>
                    </div>
                )}
                empty={filtered
                    ? <EmptyState picture={<HistoryIcon />} title={text.table.nothing}><p>{text.table.nothingHint}</p></EmptyState>
                    : <EmptyState picture={<HistoryIcon />} title={words.empty}><p>{words.emptyHint}</p></EmptyState>} />
            {open && (
                <OverlayDrawer open position="end" size="medium" style={{ width: "min(640px, 100vw)" }} onOpenChange={(_, data) => { if (!data.open) setOpen(null); }} aria-label={words.event(open.sequence)}>
                    <DrawerHeader>
                        <DrawerHeaderTitle action={<Button appearance="subtle" aria-label={text.common.close} icon={<CloseIcon />} onClick={() => setOpen(null)} />}>{open.action}</DrawerHeaderTitle>
                        <div className="quiet">{words.event(open.sequence)}</div>
                    </DrawerHeader>
                    <DrawerBody>
                        <div className="panel-body" style={{ paddingTop: 12 }}>
                            <Card>
                                <Facts facts={[
                                    [words.columns.object, <span className="mono wrap">{open.object}</span>],
                                    [words.columns.actor, open.actor],
                                    [words.source, <span className="mono">{open.source}</span>],
                                    [words.columns.at, <Time at={open.at} shape="precise" />],
                                    [words.columns.reason, open.reason || "–"],
                                ]} />
                            </Card>
                            <Card title={words.detail}><Detail detail={open.detail} /></Card>
                            <Card>
                                <Facts facts={[
                                    [words.hash, <span className="mono wrap">{open.hash}</span>],
                                    [words.previous, <span className="mono wrap">{open.previous}</span>],
                                ]} />
                            </Card>
                        </div>
                    </DrawerBody>
                </OverlayDrawer>
            )}
        </Page>
    );
}
