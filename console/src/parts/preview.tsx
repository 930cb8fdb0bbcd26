// SPDX-License-Identifier: Apache-2.0
// What a change would do, asked of the server before anything is changed: who would be cut off, by
// name, and the rest of them as a file.
import { Button, Spinner } from "@fluentui/react-components";
import { useState } from "react";
import { Link } from "react-router-dom";
import { all } from "../api/client.ts";
import type { Refused } from "../api/client.ts";
import type { Preview, Registration } from "../api/schema.ts";
import { DownloadIcon } from "../icons.ts";
import { csv } from "../lib/csv.ts";
import { download } from "../lib/files.ts";
import { sentence, text } from "../text.ts";
import { CertificateCard, Findings } from "./certificate.tsx";
import { ErrorBar, Note } from "./states.tsx";

/** Which registrations the names are from, for the export of all of them. */
export type Rests = { group?: string; ca?: string };

function registrationsCsv(registrations: Registration[]): string {
    return csv(
        ["registrationId", "deviceId", "status", "slot", "caSha256Thumbprint", "leafSha256Thumbprint", "leafNotAfter", "lastRegistered"],
        registrations.map((one) => [one.registrationId, one.deviceId, one.status, one.last.slot, one.last.caSha256Thumbprint,
            one.last.leafSha256Thumbprint, one.last.notAfter, one.last.at]),
    );
}

export function ExportDevices({ rests, total, label }: { rests: Rests; total: number; label?: string }) {
    const [read, setRead] = useState<number | null>(null);
    const [refused, setRefused] = useState<Refused | null>(null);
    const run = async () => {
        setRead(0);
        setRefused(null);
        try {
            const found = await all<Registration>("/registrations", rests, setRead);
            download(`devices-${rests.group ?? "all"}-${rests.ca?.slice(0, 8) ?? "any"}.csv`, registrationsCsv(found), "text/csv");
        } catch (error) {
            setRefused(error as Refused);
        } finally {
            setRead(null);
        }
    };
    return (
        <div className="stack tight">
            <div className="row">
                <Button size="small" icon={read === null ? <DownloadIcon /> : <Spinner size="extra-tiny" />} disabled={read !== null} onClick={() => void run()}>
                    {label ?? text.preview.exportRest(total)}
                </Button>
                {read !== null && <span className="small quiet" role="status">{text.preview.exporting(read)}</span>}
            </div>
            <ErrorBar refused={refused} />
        </div>
    );
}

export function Stranded({ devices, first, rests }: { devices: number; first: string[]; rests?: Rests[] }) {
    if (devices === 0) return <Note tone="good">{text.preview.nobody}</Note>;
    return (
        <Note tone="warn" title={text.preview.strands(devices)}>
            <div className="stack" style={{ gap: 8 }}>
                <div>{text.preview.strandsHint}</div>
                <details open={devices <= 12}>
                    <summary>{text.preview.first(first.length, devices)}</summary>
                    <ul className="plain row" style={{ gap: "2px 14px", marginTop: 6, maxHeight: 180, overflow: "auto" }} tabIndex={0} aria-label={text.preview.strands(devices)}>
                        {first.map((name) => (
                            <li key={name}><Link className="link mono" to={`/ui/devices/${encodeURIComponent(name)}`} target="_blank">{name}</Link></li>
                        ))}
                    </ul>
                </details>
                {rests?.map((one) => <ExportDevices key={one.ca} rests={one} total={devices} />)}
            </div>
        </Note>
    );
}

export function PreviewView({ preview, rests, showIncoming }: { preview: Preview; rests?: Rests[]; showIncoming?: boolean }) {
    const incoming = showIncoming ? preview.incoming : [];
    const cuts = preview.change !== "first" || preview.impact.devices > 0;
    return (
        <div className="stack">
            {incoming.map((certificate) => (
                <CertificateCard key={certificate.sha256Thumbprint} certificate={certificate} label={text.preview.incoming} />
            ))}
            {preview.summary.length > 0 && (
                <ul style={{ paddingLeft: 18 }}>{preview.summary.map((line) => <li key={line} title={line}>{sentence(line.replace(/\b([0-9A-F]{8})[0-9A-F]{48}([0-9A-F]{8})\b/g, "$1…$2"))}</li>)}</ul>
            )}
            {cuts && !preview.pending && <Stranded devices={preview.impact.devices} first={preview.impact.first} {...(rests ? { rests } : {})} />}
            {preview.distrusts.length > 0 && <Note tone="bad">{text.preview.distrusts(preview.distrusts.length)}</Note>}
            {preview.warnings.map((warning) => <Note key={warning} tone="warn">{sentence(warning)}</Note>)}
            <Findings findings={preview.findings} />
        </div>
    );
}
