// SPDX-License-Identifier: Apache-2.0
// Registrations of the last hour, minute by minute, as a drawing and as a table.
import { useState } from "react";
import type { Overview } from "../api/schema.ts";
import { minute } from "../lib/time.ts";
import { Card } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { count, text } from "../text.ts";

const words = text.dashboard.rate;
type Minute = Overview["registrationsPerMinute"][number];

const slots = 60;
const width = 10;
const height = 100;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

/** A top that the eye can divide: 1, 2, 5, 10, 20, 50 … */
function ceiling(most: number): number {
    for (let power = 1; ; power *= 10) {
        for (const step of [1, 2, 5]) if (most <= step * power) return step * power;
    }
}

function Drawing({ minutes, top, at, point }: { minutes: Minute[]; top: number; at: number | null; point: (at: number | null) => void }) {
    const first = slots - minutes.length;
    const tall = (n: number) => (n === 0 ? 0 : Math.max(1.5, (n / top) * (height - 2)));
    const find = (clientX: number, box: DOMRect) => {
        const place = Math.floor(((clientX - box.left) / box.width) * slots) - first;
        point(place >= 0 && place < minutes.length ? place : null);
    };
    return (
        <svg className="rate" viewBox={`0 0 ${slots * width} ${height}`} preserveAspectRatio="none" aria-hidden
            onPointerMove={(event) => find(event.clientX, event.currentTarget.getBoundingClientRect())} onPointerLeave={() => point(null)}>
            {[0, 0.5].map((part) => <line key={part} className="rule" x1="0" x2={slots * width} y1={part * height + 0.5} y2={part * height + 0.5} />)}
            {at !== null && <rect className="pointed" x={(first + at) * width} y="0" width={width} height={height} />}
            {minutes.map((one, place) => {
                const x = (first + place) * width + 1.5;
                const assigned = tall(one.assigned);
                const refused = tall(one.refused);
                return (
                    <g key={one.minute}>
                        {assigned > 0 && <rect className="assigned" x={x} y={height - assigned} width={width - 3} height={assigned} />}
                        {refused > 0 && <rect className="refused" x={x} y={height - assigned - refused - (assigned > 0 ? 1 : 0)} width={width - 3} height={refused} />}
                    </g>
                );
            })}
            <line className="rule base" x1="0" x2={slots * width} y1={height - 0.5} y2={height - 0.5} />
        </svg>
    );
}

export function Rate({ minutes: told, started }: { minutes: Overview["registrationsPerMinute"]; started: string | undefined }) {
    const [at, setAt] = useState<number | null>(null);
    // Before its start the server counted nothing, which is not the same as nobody came.
    const minutes = told.slice(-slots).filter((one) => !started || new Date(one.minute).getTime() + minute > new Date(started).getTime());
    const assigned = minutes.reduce((n, one) => n + one.assigned, 0);
    const refused = minutes.reduce((n, one) => n + one.refused, 0);
    const top = ceiling(Math.max(1, ...minutes.map((one) => one.assigned + one.refused)));
    const pointed = at === null ? null : minutes[at];
    const last = minutes.at(-1);
    const end = last ? new Date(last.minute).getTime() + minute : Date.now();
    return (
        <Card title={words.title} aside={(
            <span className="row small">
                <span className="key assigned" aria-hidden /><span>{words.assigned}</span>
                <span className="key refused" aria-hidden /><span>{words.refused}</span>
            </span>
        )}>
            <figure className="rate-figure" aria-label={words.summary(assigned, refused, minutes.length)}>
                <div className="rate-top quiet small tabular"><span>{count(top)}</span><span>{pointed ? words.minute(clock.format(new Date(pointed.minute)), pointed.assigned, pointed.refused) : words.summary(assigned, refused, minutes.length)}</span></div>
                <Drawing minutes={minutes} top={top} at={at} point={setAt} />
                <div className="row spread quiet small tabular"><span>{clock.format(new Date(end - slots * minute))}</span><span>{clock.format(new Date(end - (slots / 2) * minute))}</span><span>{clock.format(new Date(end))}</span></div>
            </figure>
            {minutes.length < slots && started && <p className="quiet small">{words.young(clock.format(new Date(started)))}</p>}
            <details className="small">
                <summary>{words.table}</summary>
                <div className="small-table focus" tabIndex={0} role="region" aria-label={words.table}>
                    <table>
                        <thead><tr><th scope="col">{words.minuteColumn}</th><th scope="col" className="figure">{words.assigned}</th><th scope="col" className="figure">{words.refused}</th></tr></thead>
                        <tbody>
                            {[...minutes].reverse().map((one) => (
                                <tr key={one.minute}><td><Time at={one.minute} /></td><td className="figure">{count(one.assigned)}</td><td className="figure">{count(one.refused)}</td></tr>
                            ))}
                        </tbody>
                    </table>
                </div>
            </details>
        </Card>
    );
}
