// SPDX-License-Identifier: Apache-2.0
// What a device sends, as it comes: the server answers when there is something new.
import { Button, Spinner } from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { get, segment, type Refused } from "../api/client.ts";
import type { TelemetryPage, TelemetryRecord } from "../api/schema.ts";
import { TelemetryIcon } from "../icons.ts";
import { idle, onWake } from "../lib/activity.ts";
import { Card } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { EmptyState, ErrorBar } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { text } from "../text.ts";

const words = text.telemetry;
const shownMax = 200;

function pretty(record: TelemetryRecord): string {
    if (record.body === undefined) {
        const encoded = record.bodyBase64 ?? "";
        return words.binary(Math.floor((encoded.length * 3) / 4) - (encoded.endsWith("==") ? 2 : encoded.endsWith("=") ? 1 : 0));
    }
    return record.body;
}

export default function Telemetry({ id }: { id: string }) {
    const [records, setRecords] = useState<TelemetryRecord[] | null>(null);
    const [refused, setRefused] = useState<Refused | null>(null);
    const [running, setRunning] = useState(true);
    useEffect(() => {
        if (!running) return undefined;
        const stop = new AbortController();
        const path = `/devices/${segment(id)}/telemetry`;
        const follow = async () => {
            let after: number | null = null;
            while (!stop.signal.aborted) {
                if (idle()) {
                    await new Promise<void>((resolve) => {
                        const forget = onWake(() => { forget(); resolve(); });
                    });
                }
                try {
                    const page: TelemetryPage = await get(path, after === null ? { limit: 100 } : { after, wait: 25, limit: 100 }, stop.signal);
                    setRefused(null);
                    const first = after === null;
                    after = page.next;
                    const fresh = [...page.items].sort((a, b) => b.sequence - a.sequence);
                    setRecords((before) => (first ? fresh : [...fresh, ...(before ?? [])]).slice(0, shownMax));
                } catch (error) {
                    if (stop.signal.aborted) return;
                    setRefused(error as Refused);
                    await new Promise((resolve) => setTimeout(resolve, 4000));
                }
            }
        };
        void follow();
        return () => stop.abort();
    }, [id, running]);
    return (
        <Card title={text.device.tabs.telemetry} flush
            aside={(
                <>
                    {running ? <Pill tone="good">{words.live}</Pill> : <Pill>{words.paused}</Pill>}
                    <Button size="small" onClick={() => setRunning(!running)}>{running ? words.pause : words.resume}</Button>
                </>
            )}>
            {refused && <div style={{ padding: "12px 20px 0" }}><ErrorBar refused={refused} /></div>}
            {records === null && !refused && <div style={{ padding: 20 }}><Spinner label={text.common.loading} /></div>}
            {records?.length === 0 && <EmptyState picture={<TelemetryIcon />} title={words.empty}><p>{words.emptyHint}</p></EmptyState>}
            {records && records.length > 0 && (
                <div style={{ overflow: "auto", maxHeight: "60vh", marginTop: 12 }} tabIndex={0} role="region" aria-label={text.device.tabs.telemetry} className="focus">
                    <table className="plain-table">
                        <thead><tr><th scope="col">{words.columns.at}</th><th scope="col">{words.columns.body}</th><th scope="col">{words.columns.properties}</th></tr></thead>
                        <tbody>
                            {records.map((record) => (
                                <tr key={record.sequence}>
                                    <td style={{ whiteSpace: "nowrap" }}><Time at={record.at} shape="precise" /></td>
                                    <td className="mono wrap">{pretty(record)}</td>
                                    <td className="mono small wrap">{Object.entries(record.properties).map(([name, value]) => `${name}=${value ?? ""}`).join(" ")}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                    {records.length === shownMax && <p className="quiet small" style={{ padding: "8px 20px" }}>{words.kept(shownMax)}</p>}
                </div>
            )}
        </Card>
    );
}
