// SPDX-License-Identifier: Apache-2.0
// The whole fleet at a glance: how devices stand, what they rest on, what ends when, who is refused
// and why. Before there is a device: how to come to the first.
import { Button, Spinner, Tooltip } from "@fluentui/react-components";
import { useEffect, useState, type ReactNode } from "react";
import { Link } from "react-router-dom";
import { segment } from "../api/client.ts";
import { useOne } from "../api/hooks.ts";
import type { Overview, Server } from "../api/schema.ts";
import { RefreshIcon, VerifyIcon } from "../icons.ts";
import { relative, standingAtEnd } from "../lib/time.ts";
import { Card, Page, Stat } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { causeName } from "../parts/refusal.tsx";
import { EmptyState, ErrorBar, Loading, Note } from "../parts/states.tsx";
import { Time, useNow } from "../parts/time.tsx";
import { count, sentence, text } from "../text.ts";
import { Endings } from "./dashboard_calendar.tsx";
import { FirstSteps } from "./dashboard_first.tsx";
import { Rate } from "./dashboard_rate.tsx";

const words = text.dashboard;
const every = 10_000;
/** More than these nobody reads. */
const notesMax = 4;

/** How old the count is, by the server's clock and ours together. */
function Age({ overview, askedAt, away }: { overview: Overview; askedAt: number; away: boolean }) {
    const [now, setNow] = useState(Date.now);
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), 1000);
        return () => clearInterval(timer);
    }, []);
    const then = new Date(overview.time).getTime() - new Date(overview.counted).getTime();
    const seconds = Math.max(0, Math.round((then + Math.max(0, now - askedAt)) / 1000));
    return (
        <Tooltip relationship="description" content={words.countedHint}>
            <span tabIndex={0} className={`focus small tabular age${away || seconds > 60 ? " old" : " quiet"}`}>
                {away ? words.countedAway(seconds) : words.counted(seconds)}
            </span>
        </Tooltip>
    );
}

type Line = Overview["adoption"][number];

const nameOf = (subject: string | null): string | null => subject && (/(?:^|,\s*)CN=((?:\\.|[^,\\])+)/.exec(subject)?.[1] ?? subject);

function AdoptionLine({ line, most }: { line: Line; most: number }) {
    const now = useNow();
    const ends = line.notAfter ? standingAtEnd(line.notAfter, now) : null;
    const byKey = line.attestation === "symmetricKey";
    const certificate = nameOf(line.subject) ?? <span className="mono">{line.sha256Thumbprint?.slice(0, 16)}</span>;
    const manage = line.group && line.standing !== "gone" ? `/ui/device-connection/groups/${segment(line.group)}/${line.slot}` : null;
    return (
        <div className="bar-row">
            <div className="row spread">
                <span className="row" style={{ minWidth: 0 }}>
                    <span className="wrap">{byKey ? text.slots.key[line.slot] : line.group ? certificate : words.own}</span>
                    {!byKey && <span className="quiet small">{text.slots.title[line.slot]}</span>}
                    {line.standing === "pending" && <Pill tone="info">{text.certificate.pending}</Pill>}
                    {line.standing === "gone" && <Pill tone="warn">{text.group.gone}</Pill>}
                    {line.standing !== "gone" && ends === "soon" && <Pill tone="warn">{text.certificate.endsSoon}</Pill>}
                    {line.standing !== "gone" && ends === "expired" && <Pill tone="bad">{text.certificate.expired}</Pill>}
                </span>
                <span className="row nowrap">
                    {line.notAfter && <span className="quiet small">{ends === "expired" ? words.ended : words.ends} <Time at={line.notAfter} shape="date" /></span>}
                    <span className="tabular strong bar-figure">{count(line.devices)}</span>
                </span>
            </div>
            <div className="track" aria-hidden><div className={`fill${line.standing === "gone" ? " gone" : ""}`} style={{ width: `${(line.devices / most) * 100}%`, minWidth: line.devices ? undefined : 0 }} /></div>
            {manage && (ends === "soon" || ends === "expired") && <Link className="link small" to={manage}>{text.slots.manage[line.slot]}</Link>}
        </div>
    );
}

const linesAtFirst = 10;

function Adoption({ overview }: { overview: Overview }) {
    const [all, setAll] = useState(false);
    const told = overview.adoption.filter((line) => line.devices > 0 || line.standing !== "gone");
    const lines = all ? told : told.slice(0, linesAtFirst);
    const most = Math.max(1, ...told.map((line) => line.devices));
    // Groups in the order in which they come: the largest first.
    const groups = new Map<string | null, Line[]>();
    for (const line of lines) groups.set(line.group, [...(groups.get(line.group) ?? []), line]);
    return (
        <Card title={words.adoption} aside={<Link className="link small" to="/ui/device-connection/groups">{text.connection.groups}</Link>}>
            {lines.length === 0 ? <p className="quiet">{words.adoptionEmpty}</p> : (
                <div className="stack wide">
                    {[...groups].map(([group, own]) => (
                        <section key={group ?? ""} className="stack" aria-label={group ?? words.individual}>
                            <h3 className="h3">{group
                                ? <Link className="row-link" to={`/ui/device-connection/groups/${segment(group)}`}>{group}</Link>
                                : <Link className="row-link" to="/ui/devices?individual=true">{words.individual}</Link>}</h3>
                            <div className="bars">
                                {own.map((line) => <AdoptionLine key={`${line.slot}${line.sha256Thumbprint}${line.standing}`} line={line} most={most} />)}
                            </div>
                        </section>
                    ))}
                    {told.length > linesAtFirst && (
                        <div><Button size="small" appearance="subtle" aria-expanded={all} onClick={() => setAll(!all)}>{all ? words.fewerLines : words.moreLines(told.length - linesAtFirst)}</Button></div>
                    )}
                    {all && overview.adoption.length >= 200 && <p className="quiet small">{words.adoptionBound}</p>}
                </div>
            )}
        </Card>
    );
}

function Refusals({ refusals }: { refusals: Overview["refusals"] }) {
    return (
        <Card title={words.refusals} aside={<Link className="link small" to="/ui/devices/refusals">{words.refusalsAll}</Link>}>
            {refusals.length === 0 ? (
                <div className="row quiet"><VerifyIcon aria-hidden /><span>{words.refusalsEmpty}</span></div>
            ) : (
                <ul className="plain list">
                    {refusals.map((one) => (
                        <li key={one.cause} className="item refusal">
                            <div className="grow stack tight">
                                <div className="row spread">
                                    <Link className="row-link" to={`/ui/devices/refusals?cause=${encodeURIComponent(one.cause)}`}>{causeName(one.cause)}</Link>
                                    <span className="row nowrap"><span className="quiet small"><Time at={one.lastAt} shape="relative" /></span><Pill tone="bad" bare>{count(one.count)}</Pill></span>
                                </div>
                                {one.fix && <div>{sentence(one.fix)}</div>}
                                <div className="quiet small wrap">{words.newest}: <Link className="link" to={`/ui/devices/refusals?id=${encodeURIComponent(one.lastRegistrationId)}`}>{one.lastRegistrationId}</Link>. {sentence(one.explanation)}</div>
                            </div>
                        </li>
                    ))}
                </ul>
            )}
        </Card>
    );
}

/** What somebody should do soon: who waits, which CA ends, who rests on one that is gone. */
function Attention({ overview }: { overview: Overview }) {
    const now = useNow();
    const notes: ReactNode[] = [];
    if (overview.devices.waitingForApproval > 0) {
        notes.push(
            <Note key="waiting" tone="info" actions={<Link className="link" to="/ui/devices?state=waiting-for-approval">{words.look}</Link>}>{words.waiting(overview.devices.waitingForApproval)}</Note>,
        );
    }
    for (const line of [...overview.adoption].sort((a, b) => (a.notAfter ?? "~").localeCompare(b.notAfter ?? "~"))) {
        if (line.group === null || line.devices === 0 || notes.length >= notesMax) continue;
        const at = `/ui/device-connection/groups/${segment(line.group)}`;
        const key = `${line.group}${line.slot}${line.sha256Thumbprint}`;
        const says = words.caRests(line.devices, line.group);
        if (line.standing === "gone") {
            notes.push(<Note key={key} tone="warn" actions={<Link className="link" to={at}>{words.look}</Link>}>{words.goneRests(line.devices, line.group)}</Note>);
        } else if (line.notAfter && standingAtEnd(line.notAfter, now) !== "good") {
            const ended = standingAtEnd(line.notAfter, now) === "expired";
            const when = relative(line.notAfter, now);
            const name = nameOf(line.subject) ?? line.group;
            notes.push(
                <Note key={key} tone={ended ? "bad" : "warn"} title={ended ? words.caEnded(name, when) : words.caEnds(name, when)}
                    actions={<Link className="link" to={at}>{line.group}</Link>}>{says}</Note>,
            );
        }
    }
    if (notes.length === 0) return null;
    return <section className="stack" style={{ gap: 8 }} aria-label={words.attention}>{notes}</section>;
}

function Fleet({ overview, started }: { overview: Overview; started: string | undefined }) {
    const { devices } = overview;
    return (
        <>
            <Attention overview={overview} />
            <section className="stats" aria-label={words.states}>
                <Stat figure={count(devices.total)} label={words.total} note={words.inGroups(overview.groups, overview.enrollments)} to="/ui/devices" />
                <Stat figure={count(devices.provisioned)} label={text.states.provisioned} note={words.stateNotes.provisioned} to="/ui/devices?state=provisioned" />
                <Stat figure={count(devices.registered)} label={text.states.registered} note={words.stateNotes.registered} to="/ui/devices?state=registered" />
                <Stat figure={count(devices.waitingForApproval)} label={text.states["waiting-for-approval"]} note={words.stateNotes.waiting} to="/ui/devices?state=waiting-for-approval" />
                <Stat figure={count(devices.blocked)} label={text.states.blocked} note={words.stateNotes.blocked} to="/ui/devices?state=blocked" />
                <Stat figure={count(overview.sessions.total)} label={words.sessions} note={words.sessionsNote} />
            </section>
            <div className="columns">
                <div className="stack gap"><Adoption overview={overview} /><Rate minutes={overview.registrationsPerMinute} started={started} /></div>
                <div className="stack gap"><Endings endings={overview.expiries} /><Refusals refusals={overview.refusals} /></div>
            </div>
        </>
    );
}

export default function Dashboard() {
    const overview = useOne<Overview>("/overview", {}, { every });
    const server = useOne<Server>("/server", {}, { stale: 60_000 });
    const data = overview.data;
    return (
        <Page title={text.nav.dashboard} lead={words.lead}
            actions={(
                <div className="row">
                    {data && <Age overview={data} askedAt={overview.dataUpdatedAt} away={overview.isError || overview.failureCount > 0} />}
                    <Button icon={overview.isFetching ? <Spinner size="extra-tiny" aria-label={text.common.loading} /> : <RefreshIcon />} disabledFocusable={overview.isFetching} onClick={() => void overview.refetch()}>{text.common.refresh}</Button>
                </div>
            )}>
            <ErrorBar refused={overview.error} retry={() => void overview.refetch()} />
            {overview.isPending && <div className="card"><Loading lines={5} /></div>}
            {data && (data.devices.total === 0
                ? (
                    <>
                        <FirstSteps overview={data} server={server.data} />
                        {data.refusals.length > 0 && <Refusals refusals={data.refusals} />}
                    </>
                )
                : <Fleet overview={data} started={server.data?.started} />)}
            {!data && overview.isError && !overview.error.passing && <EmptyState picture={<VerifyIcon />} title={words.noCount}><p>{words.noCountHint}</p></EmptyState>}
        </Page>
    );
}
