// SPDX-License-Identifier: Apache-2.0
// What operators changed, the newest first: who, from where, what was before and after, and why.
import { Button, Input, Select, Spinner } from "@fluentui/react-components";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { Link, useSearchParams } from "react-router-dom";
import { all, call, type Refused } from "../api/client.ts";
import { useOne, usePages } from "../api/hooks.ts";
import type { AuditEvent, AuditSeals, AuditVerification } from "../api/schema.ts";
import { ChevronRightIcon, DownloadIcon, HistoryIcon, VerifyIcon } from "../icons.ts";
import { placeOf, spoken, told } from "../lib/audit.ts";
import { download } from "../lib/files.ts";
import { Act } from "../parts/act.tsx";
import { CopyButton, Thumbprint } from "../parts/copy.tsx";
import { Card, Facts, Page } from "../parts/page.tsx";
import { useTyped } from "../parts/search.tsx";
import { EmptyState, ErrorBar, Loading, Note } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { count, text } from "../text.ts";

const words = text.audit;
const nameOf = (action: string): string => words.actions[action] ?? action;

/** The object without its kind, which the words before it say; a long hash by its ends. */
function short(object: string): string {
    const name = object.slice(object.indexOf("/") + 1);
    return /^[0-9A-Fa-f]{40,}$/.test(name) ? `${name.slice(0, 8)}…${name.slice(-8)}` : name;
}

/** A value of a detail: a certificate by its subject, a list by commas, the rest as JSON. */
function Value({ value }: { value: unknown }): ReactNode {
    if (value === null || value === undefined) return <span className="quiet">{text.common.none}</span>;
    if (typeof value === "boolean") return value ? text.common.yes : text.common.no;
    if (typeof value === "string") return value === "" ? <span className="quiet">{words.empty}</span> : <span className="wrap">{value}</span>;
    if (typeof value === "number") return <span className="tabular">{value}</span>;
    if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value.length ? <span className="wrap">{value.join(", ")}</span> : <span className="quiet">{text.common.none}</span>;
    const record = value as { subject?: unknown; sha256Thumbprint?: unknown };
    if (typeof record.subject === "string" && typeof record.sha256Thumbprint === "string") {
        return <span className="stack tight"><span className="wrap">{record.subject}</span><Thumbprint value={record.sha256Thumbprint} what={text.certificate.sha256} /></span>;
    }
    return <pre className="json">{JSON.stringify(value, null, 2)}</pre>;
}

function Detail({ event }: { event: AuditEvent }) {
    const { changes, facts } = told(event.detail);
    const place = placeOf(event.object);
    return (
        <div className="event-detail">
            <Facts facts={[
                [words.who, <span className="wrap">{event.actor}</span>],
                [words.source, <span className="mono">{event.source}</span>],
                [words.when, <Time at={event.at} shape="precise" />],
                [words.what, <span className="mono">{event.action}</span>],
                [words.object, place ? <Link className="link wrap" to={place}>{event.object}</Link> : <span className="mono wrap">{event.object}</span>],
                [text.common.reason, event.reason ? <span className="wrap">{event.reason}</span> : <span className="quiet">{words.noReason}</span>],
                ...facts.map((fact): [string, ReactNode] => [spoken(fact.what), <Value value={fact.value} />]),
            ]} />
            {changes.length > 0 && (
                <div className="small-table grow">
                    <table>
                        <caption className="sr">{words.changes}</caption>
                        <thead><tr><th scope="col"><span className="sr">{words.what}</span></th><th scope="col">{words.before}</th><th scope="col">{words.after}</th></tr></thead>
                        <tbody>
                            {changes.map((change) => (
                                <tr key={change.what}>
                                    {change.what ? <th scope="row">{spoken(change.what)}</th> : <td />}
                                    <td><Value value={change.before} /></td>
                                    <td><Value value={change.after} /></td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </div>
            )}
            <details className="small whole">
                <summary>{words.chain}</summary>
                <Facts facts={[
                    [words.sequence, <span className="tabular">{event.sequence}</span>],
                    [words.hash, <Thumbprint value={event.hash} what={words.hash} whole />],
                    [words.previous, <Thumbprint value={event.previous} what={words.previous} whole />],
                ]} />
            </details>
        </div>
    );
}

function EventRow({ event, open, toggle }: { event: AuditEvent; open: boolean; toggle: () => void }) {
    const id = `event-${event.sequence}`;
    return (
        <>
            <button type="button" className="event" aria-expanded={open} aria-controls={id} onClick={toggle}>
                <ChevronRightIcon className={open ? "turn open" : "turn"} aria-hidden />
                <span className="event-what"><span className="strong">{nameOf(event.action)}</span> <span className="wrap">{short(event.object)}</span></span>
                <span className="event-why quiet ellipsis">{event.reason && `“${event.reason}”`}</span>
                <span className="event-who ellipsis">{event.actor}</span>
                <span className="event-when quiet"><Time at={event.at} shape="relative" /></span>
            </button>
            <div id={id} hidden={!open}>{open && <Detail event={event} />}</div>
        </>
    );
}

function Events({ events, more, loadMore, loading, open, toggle }: {
    events: AuditEvent[]; more: boolean; loadMore: () => void; loading: boolean; open: ReadonlySet<number>; toggle: (sequence: number) => void;
}) {
    const box = useRef<HTMLDivElement>(null);
    const virtual = useVirtualizer({
        count: events.length, getScrollElement: () => box.current, estimateSize: () => 47, overscan: 10,
        getItemKey: (place) => events[place]!.sequence,
    });
    const items = virtual.getVirtualItems();
    const last = items.at(-1)?.index ?? 0;
    useEffect(() => {
        if (more && !loading && last >= events.length - 30) loadMore();
    }, [more, loading, last, events.length, loadMore]);
    return (
        <div className="scroll" ref={box} tabIndex={0} role="region" aria-label={words.list}>
            <ol className="plain" style={{ height: virtual.getTotalSize(), position: "relative" }}>
                {items.map((item) => {
                    const event = events[item.index]!;
                    return (
                        <li key={item.key} className="event-item" data-index={item.index} ref={virtual.measureElement} aria-setsize={more ? -1 : events.length} aria-posinset={item.index + 1}
                            style={{ transform: `translateY(${item.start}px)` }}>
                            <EventRow event={event} open={open.has(event.sequence)} toggle={() => toggle(event.sequence)} />
                        </li>
                    );
                })}
            </ol>
        </div>
    );
}

function Outcome({ outcome, close }: { outcome: AuditVerification; close: () => void }) {
    return (
        <Note tone={outcome.intact ? "good" : "bad"} live title={outcome.intact ? words.intact : words.broken(outcome.brokenAt)} actions={<Button size="small" appearance="subtle" onClick={close}>{text.common.close}</Button>}>
            <div>{outcome.intact ? words.intactSays(outcome.events) : outcome.detail}</div>
            {!outcome.intact && <div>{words.brokenDo}</div>}
            {outcome.prunedUpTo !== null && <div className="quiet small">{words.pruned(outcome.prunedUpTo)}</div>}
        </Note>
    );
}

/** Where the log ends, signed, for keeping elsewhere. */
function Head() {
    const seals = useOne<AuditSeals>("/audit/head");
    return (
        <Card title={words.head} aside={seals.data && <CopyButton value={JSON.stringify(seals.data.head)} what={words.head} label={text.common.copy} />}>
            <div className="stack">
                <p className="quiet">{words.headLead}</p>
                <ErrorBar refused={seals.error} retry={() => void seals.refetch()} />
                {seals.data && (
                    <Facts facts={[
                        [words.sequence, <span className="tabular">{count(seals.data.head.sequence)}</span>],
                        [words.when, <Time at={seals.data.head.at} shape="precise" />],
                        [words.hash, <span className="mono wrap">{seals.data.head.hash}</span>],
                        [words.key, <span className="mono wrap">{seals.data.head.publicKey}</span>],
                        [words.signature, <span className="mono wrap">{seals.data.head.signature}</span>],
                    ]} />
                )}
            </div>
        </Card>
    );
}

function Narrow({ label, value, change }: { label: string; value: string; change: (value: string) => void }) {
    const [typed, setTyped] = useTyped(value, change);
    return <Input value={typed} placeholder={label} aria-label={label} className="narrow" onChange={(_, data) => setTyped(data.value)} />;
}

export default function Audit() {
    const [params, setParams] = useSearchParams();
    const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
    const [outcome, setOutcome] = useState<AuditVerification | null>(null);
    const [refused, setRefused] = useState<Refused | null>(null);
    const [busy, setBusy] = useState<"verify" | "export" | null>(null);
    const [read, setRead] = useState(0);
    const [sealed, setSealed] = useState(false);
    const actor = params.get("actor") ?? "";
    const action = params.get("action") ?? "";
    const object = params.get("object") ?? "";
    const query = { order: "newest", actor, action, object };
    const events = usePages<AuditEvent>("/audit", query, { every: 30_000 });
    const rows = events.data?.items ?? [];
    const set = useCallback((name: string, value: string) => setParams((before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
    }, { replace: true }), [setParams]);
    const setActor = useCallback((value: string) => set("actor", value), [set]);
    const setObject = useCallback((value: string) => set("object", value), [set]);
    const { fetchNextPage } = events;
    const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
    const toggle = (sequence: number) => setOpen((before) => {
        const next = new Set(before);
        if (!next.delete(sequence)) next.add(sequence);
        return next;
    });
    const verify = async () => {
        setBusy("verify");
        setRefused(null);
        try {
            setOutcome(await call<AuditVerification>("GET", "/audit/verification"));
        } catch (error) {
            setRefused(error as Refused);
        } finally {
            setBusy(null);
        }
    };
    const save = async () => {
        setBusy("export");
        setRead(0);
        setRefused(null);
        try {
            const found = await all<AuditEvent>("/audit", query, setRead);
            download("audit-events.jsonl", found.map((event) => `${JSON.stringify(event)}\n`).join(""), "application/x-ndjson");
        } catch (error) {
            setRefused(error as Refused);
        } finally {
            setBusy(null);
        }
    };
    const filtered = Boolean(actor || action || object);
    const nothing = rows.length === 0;
    return (
        <Page title={text.nav.audit} lead={words.lead} fill
            actions={(
                <>
                    <Button appearance="subtle" aria-expanded={sealed} onClick={() => setSealed(!sealed)}>{words.head}</Button>
                    <Act needs="audit.read" icon={busy === "verify" ? <Spinner size="extra-tiny" aria-label={text.common.loading} /> : <VerifyIcon />} disabledFocusable={busy !== null} onClick={() => void verify()}>{words.verify}</Act>
                    <Act needs="audit.read" icon={busy === "export" ? <Spinner size="extra-tiny" aria-label={text.common.loading} /> : <DownloadIcon />} disabledFocusable={busy !== null || nothing} onClick={() => void save()}>{words.export}</Act>
                </>
            )}>
            {busy === "export" && <span className="sr" role="status">{text.preview.exporting(read)}</span>}
            {outcome && <Outcome outcome={outcome} close={() => setOutcome(null)} />}
            <ErrorBar refused={refused} />
            {sealed && <Head />}
            <div className="card flush table">
                <div className="tools">
                    <Narrow label={words.byActor} value={actor} change={setActor} />
                    <Select aria-label={words.byAction} className="narrow" value={action} onChange={(_, data) => set("action", data.value)}>
                        <option value="">{words.anyAction}</option>
                        {action && !words.kinds[action] && <option value={action}>{action}</option>}
                        {Object.entries(words.kinds).map(([kind, name]) => <option key={kind} value={kind}>{name}</option>)}
                    </Select>
                    <Narrow label={words.byObject} value={object} change={setObject} />
                    {filtered && <Button appearance="subtle" onClick={() => setParams({}, { replace: true })}>{text.table.clear}</Button>}
                </div>
                {events.error && <div style={{ padding: 12 }}><ErrorBar refused={events.error} retry={() => void events.refetch()} /></div>}
                {nothing && events.isPending && <div style={{ padding: 20 }}><Loading lines={6} /></div>}
                {nothing && !events.isPending && !events.error && (
                    <EmptyState picture={<HistoryIcon />} title={filtered ? text.table.nothing : words.nothing}><p>{filtered ? text.table.nothingHint : words.nothingHint}</p></EmptyState>
                )}
                {!nothing && <Events events={rows} more={events.hasNextPage} loadMore={loadMore} loading={events.isFetchingNextPage} open={open} toggle={toggle} />}
                <div className="table-foot" role="status">
                    {!nothing && <span>{events.hasNextPage ? text.table.shown(rows.length, true) : words.events(rows.length)}</span>}
                    {events.isFetchingNextPage && <Spinner size="extra-tiny" label={text.table.loadingMore} labelPosition="after" />}
                    <span className="grow" />
                    <span className="only-wide">{words.exportNote} <code>rollcall audit export</code></span>
                </div>
            </div>
        </Page>
    );
}
