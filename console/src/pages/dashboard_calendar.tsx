// SPDX-License-Identifier: Apache-2.0
// What ends when: what has ended already on top, then the next months day by day.
import { Button } from "@fluentui/react-components";
import { useMemo, useState } from "react";
import { Link } from "react-router-dom";
import { segment } from "../api/client.ts";
import { useAll } from "../api/hooks.ts";
import type { CaCertificate } from "../api/schema.ts";
import { dayOf, divide, months, sum, type Ending, type Month } from "../lib/calendar.ts";
import { relative } from "../lib/time.ts";
import { commonName } from "../parts/certificate.tsx";
import { Card } from "../parts/page.tsx";
import { useCan } from "../parts/session.tsx";
import { Note } from "../parts/states.tsx";
import { useNow } from "../parts/time.tsx";
import { text } from "../text.ts";

const words = text.dashboard.endings;
const few = 6;
const many = 13;

const monthName = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
const dayName = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeZone: "UTC" });
const shown = (day: string): string => dayName.format(new Date(`${day}T00:00:00Z`));

function Cells({ month, byDay, today, chosen, choose }: {
    month: Month; byDay: Map<string, Ending>; today: string; chosen: string | null; choose: (day: string) => void;
}) {
    const name = monthName.format(month.at);
    return (
        <section className="month" aria-label={name}>
            <h3 className="name">{name}</h3>
            <div className="days">
                {Array.from({ length: month.before }, (_, place) => <span key={place} />)}
                {month.days.map((day) => {
                    const ending = byDay.get(day);
                    const number = Number(day.slice(8));
                    const now = day === today ? " today" : "";
                    if (!ending || day < today) return <span key={day} aria-hidden className={`cell${now}${day < today ? " over" : ""}`}>{number}</span>;
                    const kind = ending.caCertificates > 0 ? (ending.deviceCertificates > 0 ? " ca both" : " ca") : ending.deviceCertificates > 9 ? " leaf lots" : " leaf";
                    return (
                        <button key={day} type="button" className={`cell ends${kind}${now}${day === chosen ? " chosen" : ""}`} aria-pressed={day === chosen}
                            aria-label={`${shown(day)}: ${words.what(ending.caCertificates, ending.deviceCertificates)}`} onClick={() => choose(day)}>{number}</button>
                    );
                })}
            </div>
        </section>
    );
}

/** The CA certificates of a day, by name. */
function Named({ authorities }: { authorities: CaCertificate[] }) {
    return (
        <ul className="plain stack tight">
            {authorities.map((one) => (
                <li key={one.id} className="wrap">
                    <Link className="link" to={`/ui/device-connection/certificates/${segment(one.id)}`}>{one.name || commonName(one.certificate)}</Link>
                    {one.usedBy.length > 0 && <span className="quiet small"> {text.dashboard.usedIn([...new Set(one.usedBy.map((use) => use.group))])}</span>}
                </li>
            ))}
        </ul>
    );
}

export function Endings({ endings }: { endings: Ending[] }) {
    const now = useNow();
    const mayCas = useCan("ca.read");
    const today = dayOf(now);
    const [long, setLong] = useState(false);
    const [picked, setPicked] = useState<string | null>(null);
    const { past, coming } = useMemo(() => divide(endings, today), [endings, today]);
    const byDay = useMemo(() => new Map(coming.map((one) => [one.day, one])), [coming]);
    const authorities = useAll<CaCertificate>("/ca-certificates", {}, { enabled: mayCas && endings.some((one) => one.caCertificates > 0) });
    const ended = sum(past);
    const nextCa = coming.find((one) => one.caCertificates > 0);
    const chosen = picked && byDay.has(picked) ? picked : nextCa?.day ?? coming[0]?.day ?? null;
    const ending = chosen ? byDay.get(chosen) : undefined;
    const on = (day: string) => (authorities.data ?? []).filter((one) => one.certificate.notAfter.slice(0, 10) === day);
    const gone = (authorities.data ?? []).filter((one) => one.certificate.notAfter.slice(0, 10) < today);
    const lastShown = months(now, long ? many : few).at(-1)?.days.at(-1) ?? today;
    const later = sum(coming.filter((one) => one.day > lastShown));
    return (
        <Card title={words.title}>
            <div className="stack">
                {past.length > 0 && (
                    <Note tone={ended.caCertificates > 0 ? "bad" : "warn"} title={words.endedTitle(ended.caCertificates, ended.deviceCertificates)}>
                        <div className="stack tight">
                            <span>{words.endedHint}</span>
                            {gone.length > 0 && <Named authorities={gone} />}
                        </div>
                    </Note>
                )}
                {coming.length === 0 ? <p className="quiet">{words.none}</p> : (
                    <>
                        <div className="row small legend">
                            <span className="swatch ca" aria-hidden /><span>{words.ca}</span>
                            <span className="swatch leaf" aria-hidden /><span>{words.leaf}</span>
                            <span className="swatch ca both" aria-hidden /><span>{words.both}</span>
                            <span className="quiet">{words.days}</span>
                        </div>
                        {chosen && ending && (
                            <div className="chosen-day" role="status">
                                <div className="row spread"><span className="strong">{shown(chosen)}</span><span className="quiet small">{chosen === today ? words.today : relative(`${chosen}T23:59:59Z`, now)}</span></div>
                                <div>{words.what(ending.caCertificates, ending.deviceCertificates)}</div>
                                {on(chosen).length > 0 && <Named authorities={on(chosen)} />}
                            </div>
                        )}
                        <div className="months">
                            {months(now, long ? many : few).map((month) => <Cells key={month.key} month={month} byDay={byDay} today={today} chosen={chosen} choose={setPicked} />)}
                        </div>
                        <div className="row spread">
                            <span className="quiet small">{later.caCertificates + later.deviceCertificates > 0 ? words.later(later.caCertificates, later.deviceCertificates) : ""}</span>
                            <Button size="small" appearance="subtle" aria-expanded={long} onClick={() => setLong(!long)}>{long ? words.fewer : words.further}</Button>
                        </div>
                    </>
                )}
            </div>
        </Card>
    );
}
