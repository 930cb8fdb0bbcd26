// SPDX-License-Identifier: Apache-2.0
// Who is on which certificate, what ends when, what goes wrong. On an empty server: three steps to
// the first device.
import { Button, Popover, PopoverSurface, PopoverTrigger } from "@fluentui/react-components";
import { useMemo, useState } from "react";
import { Link, useNavigate } from "react-router-dom";
import { segment } from "../api/client.ts";
import { useAll, useOne } from "../api/hooks.ts";
import type { CaCertificate, Overview, Server } from "../api/schema.ts";
import { AddIcon } from "../icons.ts";
import { firstDevice, makeRoot, trustRoot } from "../lib/commands.ts";
import { day as dayLength, relative, standing } from "../lib/time.ts";
import { Act } from "../parts/act.tsx";
import { commonName, ValidityPill } from "../parts/certificate.tsx";
import { Command } from "../parts/copy.tsx";
import { Card, Page, Stat } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { causeName } from "../parts/refusal.tsx";
import { ErrorBar, Loading, Note } from "../parts/states.tsx";
import { Time, useNow } from "../parts/time.tsx";
import { count, sentence, text } from "../text.ts";
import { doorAddress } from "./door_address.ts";

const words = text.dashboard;
type Line = Overview["adoption"][number];
type Expiry = Overview["expiries"][number];

const nameOf = (subject: string | null): string => /(?:^|,\s*)CN=([^,]+)/.exec(subject ?? "")?.[1] ?? subject ?? "";

function FirstSteps({ server, overview }: { server: Server | undefined; overview: Overview }) {
    const navigate = useNavigate();
    const at = server ? doorAddress(server, "device-https") : null;
    const commands = [makeRoot, trustRoot, firstDevice(server?.scopeId ?? "…", at ?? "localhost:8443")];
    const done = [overview.caCertificates > 0, overview.groups > 0, false];
    return (
        <Card title={words.first} aside={<Act needs="group.write" icon={<AddIcon />} onClick={() => navigate("/ui/device-connection/groups")}>{words.createGroup}</Act>}>
            <div className="stack wide">
                <p className="quiet">{words.firstLead}</p>
                <ol className="steps">
                    {words.steps.map((step, index) => (
                        <li key={step.title} className={done[index] ? "done" : ""}>
                            <div className="stack" style={{ gap: 6 }}>
                                <h3 className="h3">{step.title}</h3>
                                <p className="quiet">{step.says}</p>
                                <Command value={commands[index] ?? ""} what={step.title} />
                            </div>
                        </li>
                    ))}
                </ol>
                <p className="quiet small">{words.firstDone}</p>
            </div>
        </Card>
    );
}

function Rate({ minutes }: { minutes: Overview["registrationsPerMinute"] }) {
    const most = Math.max(4, ...minutes.map((one) => one.assigned + one.refused));
    const assigned = minutes.reduce((sum, one) => sum + one.assigned, 0);
    const refused = minutes.reduce((sum, one) => sum + one.refused, 0);
    const slots = 60;
    const width = 10;
    const height = 92;
    const skip = slots - minutes.length;
    return (
        <Card title={words.rate} aside={<span className="quiet tabular">{words.rateNow(assigned + refused)}</span>}>
            <svg className="spark" viewBox={`0 0 ${slots * width} ${height}`} preserveAspectRatio="none" role="img" aria-label={words.rateLabel(assigned, refused)}>
                {[0.25, 0.5, 0.75].map((part) => <line key={part} x1="0" x2={slots * width} y1={height * part} y2={height * part} className="grid-line" />)}
                {minutes.map((one, index) => {
                    const good = (one.assigned / most) * (height - 6);
                    const bad = (one.refused / most) * (height - 6);
                    const x = (index + skip) * width + 1.5;
                    return (
                        <g key={one.minute}>
                            {good > 0 && <rect x={x} y={height - good} width={width - 3} height={good} rx="1.5" className="bar-good" />}
                            {bad > 0 && <rect x={x} y={height - good - bad} width={width - 3} height={bad} rx="1.5" className="bar-bad" />}
                        </g>
                    );
                })}
                <line x1="0" x2={slots * width} y1={height - 0.5} y2={height - 0.5} className="grid-line" />
            </svg>
            <div className="row spread small quiet" style={{ marginTop: 6 }}>
                <span>{words.hourAgo}</span>
                <span className="row"><span className="key good" aria-hidden />{words.assigned} {count(assigned)}<span className="key bad" aria-hidden style={{ marginLeft: 8 }} />{words.refused} {count(refused)}</span>
                <span>{words.now}</span>
            </div>
        </Card>
    );
}

function Adoption({ lines }: { lines: Line[] }) {
    const [all, setAll] = useState(false);
    const shown = all ? lines : lines.slice(0, 8);
    const most = Math.max(1, ...lines.map((one) => one.devices));
    const now = useNow();
    return (
        <Card title={words.adoption}>
            {lines.length === 0 && <p className="quiet">{words.adoptionNone}</p>}
            <div className="bars">
                {shown.map((one) => {
                    const ends = one.notAfter ? standing("1970-01-01T00:00:00Z", one.notAfter, now) : "good";
                    const soon = one.notAfter ? new Date(one.notAfter).getTime() - now < 30 * dayLength : false;
                    return (
                        <div className="bar-row" key={`${one.group}${one.slot}${one.sha256Thumbprint}${one.standing}`}>
                            <div className="row spread nowrap">
                                <span className="row" style={{ minWidth: 0, gap: "2px 8px" }}>
                                    {one.group === null
                                        ? <Link className="row-link" to="/ui/devices?individual=true">{words.individual}</Link>
                                        : <Link className="row-link wrap" to={`/ui/device-connection/groups/${segment(one.group)}`}>{nameOf(one.subject)}</Link>}
                                    <span className="quiet small">{one.group !== null && `${one.group}, `}{text.slots.word[one.slot]}</span>
                                    {one.standing === "gone" && <Pill tone="warn">{text.group.gone}</Pill>}
                                    {one.standing === "pending" && <Pill tone="info">{text.certificate.pending}</Pill>}
                                    {ends === "expired" ? <Pill tone="bad">{text.certificate.expired}</Pill> : soon && <Pill tone="warn">{text.certificate.endsSoon}</Pill>}
                                </span>
                                <span className="strong tabular">{count(one.devices)}</span>
                            </div>
                            <div className="track" aria-hidden><div className={`fill${one.standing === "gone" || ends === "expired" ? " gone" : ""}`} style={{ width: `${(one.devices / most) * 100}%` }} /></div>
                        </div>
                    );
                })}
            </div>
            {lines.length > 8 && <Button size="small" appearance="subtle" onClick={() => setAll(!all)} style={{ marginTop: 10 }}>{all ? words.less : words.more(lines.length - 8)}</Button>}
        </Card>
    );
}

const monthName = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
const dayName = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeZone: "UTC" });

function DayCell({ iso, number, expiry, cas, today, past }: { iso: string; number: number; expiry: Expiry | undefined; cas: CaCertificate[]; today: boolean; past: boolean }) {
    if (!expiry) return <span className={`cell${today ? " today" : ""}`} aria-hidden>{number}</span>;
    const says = [expiry.caCertificates > 0 && words.cas(expiry.caCertificates), expiry.deviceCertificates > 0 && words.leaves(expiry.deviceCertificates)].filter(Boolean).join(", ");
    return (
        <Popover withArrow trapFocus>
            <PopoverTrigger disableButtonEnhancement>
                <button type="button" className={`cell ends ${expiry.caCertificates > 0 ? "ca" : "leaf"}${past ? " past" : ""}${today ? " today" : ""}`} aria-label={`${dayName.format(new Date(iso))}: ${says}`}>{number}</button>
            </PopoverTrigger>
            <PopoverSurface aria-label={dayName.format(new Date(iso))}>
                <div className="stack" style={{ gap: 6, maxWidth: 300 }}>
                    <span className="strong">{words.ends(dayName.format(new Date(iso)))}</span>
                    {cas.map((ca) => <Link key={ca.id} className="link wrap" to={`/ui/device-connection/certificates/${segment(ca.id)}`}>{ca.name || commonName(ca.certificate)}</Link>)}
                    {expiry.caCertificates > cas.length && <span>{words.cas(expiry.caCertificates - cas.length)}</span>}
                    {expiry.deviceCertificates > 0 && <span>{words.leaves(expiry.deviceCertificates)}</span>}
                </div>
            </PopoverSurface>
        </Popover>
    );
}

function Calendar({ expiries, cas }: { expiries: Expiry[]; cas: CaCertificate[] }) {
    const now = useNow();
    const [all, setAll] = useState(false);
    const byDay = useMemo(() => new Map(expiries.map((one) => [one.day, one])), [expiries]);
    const today = new Date(now).toISOString().slice(0, 10);
    const casOf = (iso: string) => cas.filter((ca) => ca.certificate.notAfter.slice(0, 10) === iso);
    const months = Array.from({ length: all ? 13 : 6 }, (_, index) => {
        const first = new Date(Date.UTC(new Date(now).getUTCFullYear(), new Date(now).getUTCMonth() + index, 1));
        const days = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
        return { first, days, lead: (first.getUTCDay() + 6) % 7 };
    });
    const past = expiries.filter((one) => one.day < today);
    const next = cas.filter((ca) => ca.usedBy.length > 0).sort((a, b) => a.certificate.notAfter.localeCompare(b.certificate.notAfter)).slice(0, 4);
    return (
        <Card title={words.expiries}
            aside={<span className="row small quiet"><span className="key ca" aria-hidden />{words.legendCa}<span className="key leaf" aria-hidden style={{ marginLeft: 8 }} />{words.legendLeaf}</span>}>
            <div className="stack wide">
                <div className="months">
                    {months.map(({ first, days, lead }) => (
                        <div className="month" key={first.toISOString()}>
                            <div className="name">{monthName.format(first)}</div>
                            <div className="days">
                                {Array.from({ length: lead }, (_, i) => <span key={`lead${i}`} aria-hidden />)}
                                {Array.from({ length: days }, (_, i) => {
                                    const iso = `${first.toISOString().slice(0, 8)}${String(i + 1).padStart(2, "0")}`;
                                    return <DayCell key={iso} iso={iso} number={i + 1} expiry={byDay.get(iso)} cas={casOf(iso)} today={iso === today} past={iso < today} />;
                                })}
                            </div>
                        </div>
                    ))}
                </div>
                <div className="row"><Button size="small" appearance="subtle" onClick={() => setAll(!all)}>{all ? words.less : text.common.more}</Button></div>
                {past.length > 0 && (
                    <Note tone="warn" title={words.ended}>
                        {[past.some((one) => one.caCertificates) && words.cas(past.reduce((n, one) => n + one.caCertificates, 0)), past.some((one) => one.deviceCertificates) && words.leaves(past.reduce((n, one) => n + one.deviceCertificates, 0))].filter(Boolean).join(", ")}
                    </Note>
                )}
                {next.length > 0 && (
                    <div>
                        <h3 className="h3">{words.next}</h3>
                        <div className="list">
                            {next.map((ca) => (
                                <div className="item" key={ca.id}>
                                    <span className="grow row"><Link className="row-link wrap" to={`/ui/device-connection/groups/${segment(ca.usedBy[0]?.group ?? "")}`}>{ca.name || commonName(ca.certificate)}</Link><span className="quiet small">{[...new Set(ca.usedBy.map((use) => use.group))].join(", ")}</span></span>
                                    <ValidityPill certificate={ca.certificate} quietly />
                                    <span className="quiet"><Time at={ca.certificate.notAfter} shape="relative" /></span>
                                </div>
                            ))}
                        </div>
                    </div>
                )}
                {expiries.length === 0 && <p className="quiet">{words.expiriesNone}</p>}
            </div>
        </Card>
    );
}

function Refusals({ causes }: { causes: Overview["refusals"] }) {
    return (
        <Card title={words.refusals} aside={<Link className="link" to="/ui/devices/refusals">{words.refusalsAll}</Link>}>
            {causes.length === 0 && <p className="quiet">{words.refusalsNone}</p>}
            <div className="list">
                {causes.slice(0, 8).map((one) => (
                    <div className="item" key={one.cause} style={{ alignItems: "flex-start" }}>
                        <span className="strong tabular" style={{ minWidth: 34, textAlign: "right", fontSize: 18 }}>{count(one.count)}</span>
                        <div className="grow stack tight">
                            <span className="row"><Link className="row-link" to={`/ui/devices/refusals?cause=${segment(one.cause)}`}>{causeName(one.cause)}</Link><span className="quiet small">{words.last} <Time at={one.lastAt} shape="relative" />, {one.lastRegistrationId}</span></span>
                            {one.fix && <span className="small"><span className="quiet">{words.fix}: </span>{sentence(one.fix)}</span>}
                        </div>
                    </div>
                ))}
            </div>
        </Card>
    );
}

function Attention({ overview }: { overview: Overview }) {
    const now = useNow();
    const notes = [];
    if (overview.devices.waitingForApproval > 0) {
        notes.push(
            <Note key="waiting" tone="warn"><Link className="link" to="/ui/devices?state=waiting-for-approval">{words.waitingLink(overview.devices.waitingForApproval)}</Link></Note>,
        );
    }
    for (const line of overview.adoption) {
        if (line.group === null || line.devices === 0 || notes.length >= 5) continue;
        const ends = line.notAfter ? new Date(line.notAfter).getTime() : Infinity;
        const to = `/ui/device-connection/groups/${segment(line.group)}`;
        const key = `${line.group}${line.slot}${line.sha256Thumbprint}`;
        if (line.standing === "gone") {
            notes.push(<Note key={key} tone="warn"><Link className="link" to={to}>{words.goneRests(line.devices, line.group)}</Link></Note>);
        } else if (line.notAfter && ends - now < 30 * dayLength) {
            const when = relative(line.notAfter, now);
            notes.push(
                <Note key={key} tone={ends < now ? "bad" : "warn"} title={ends < now ? words.caEnded(nameOf(line.subject), when) : words.caEnds(nameOf(line.subject), when)}>
                    <Link className="link" to={to}>{words.caRests(line.devices, line.group)}</Link>
                </Note>,
            );
        }
    }
    if (notes.length === 0) return null;
    return <section className="stack" style={{ gap: 8 }} aria-label={words.attention}>{notes}</section>;
}

export default function Dashboard() {
    const overview = useOne<Overview>("/overview", {}, { every: 10_000 });
    const server = useOne<Server>("/server", {}, { stale: 60_000 });
    const cas = useAll<CaCertificate>("/ca-certificates", {}, { every: 60_000 });
    const data = overview.data;
    const fresh = data && data.devices.total === 0;
    return (
        <Page title={words.title} lead={words.lead}>
            <ErrorBar refused={overview.error} retry={() => void overview.refetch()} />
            {overview.isPending && (
                <>
                    <div className="stats">{Array.from({ length: 5 }, (_, i) => <div className="stat" key={i}><Loading lines={2} /></div>)}</div>
                    <div className="cards"><div className="card"><Loading /></div><div className="card"><Loading /></div></div>
                </>
            )}
            {data && fresh && <FirstSteps server={server.data} overview={data} />}
            {data && !fresh && (
                <>
                    <Attention overview={data} />
                    <div className="stats">
                        <Stat figure={count(data.devices.total)} label={words.devices} note={words.groupsNote(data.groups)} to="/ui/devices" />
                        <Stat figure={count(data.devices.provisioned)} label={words.provisioned} to="/ui/devices?state=provisioned" />
                        <Stat figure={count(data.devices.waitingForApproval)} label={words.waiting} to="/ui/devices?state=waiting-for-approval" />
                        <Stat figure={count(data.devices.blocked)} label={words.blocked} to="/ui/devices?state=blocked" />
                        <Stat figure={count(data.sessions.total)} label={words.sessions} note={words.sessionsNote} />
                        <Stat figure={count(data.refusals.reduce((n, one) => n + one.count, 0))} label={words.refusedLately} note={words.refusedNote} to="/ui/devices/refusals" />
                    </div>
                    <div className="cards">
                        <div className="stack wide">
                            <Rate minutes={data.registrationsPerMinute} />
                            <Adoption lines={data.adoption} />
                        </div>
                        <div className="stack wide">
                            <Calendar expiries={data.expiries} cas={cas.data ?? []} />
                            <Refusals causes={data.refusals} />
                        </div>
                    </div>
                </>
            )}
            {data && fresh && data.refusals.length > 0 && <Refusals causes={data.refusals} />}
        </Page>
    );
}
