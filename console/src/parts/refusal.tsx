// SPDX-License-Identifier: Apache-2.0
// Why a device was refused: what happened, what would mend it, and the chain with its broken link.
import { Link } from "react-router-dom";
import { segment } from "../api/client.ts";
import type { Entry, JudgedCertificate, Refusal } from "../api/schema.ts";
import { sentence, text } from "../text.ts";
import { commonName, Findings, ValidityBar } from "./certificate.tsx";
import { Thumbprint } from "./copy.tsx";
import { Facts } from "./page.tsx";
import { Pill } from "./pill.tsx";
import { Note } from "./states.tsx";
import { Time } from "./time.tsx";

const words = text.refusals;

export const causeName = (cause: string): string => words.causes[cause] ?? cause;

export function EntryLink({ entry }: { entry: Entry | null }) {
    if (!entry) return <span className="quiet">–</span>;
    return entry.kind === "group"
        ? <Link className="link" to={`/ui/device-connection/groups/${segment(entry.id)}`}>{text.devices.group(entry.id)}</Link>
        : <Link className="link" to={`/ui/devices/${segment(entry.id)}?connect=1`}>{text.connect.types.individual}</Link>;
}

function Judged({ judged }: { judged: JudgedCertificate }) {
    const worst = judged.findings.some((one) => one.gravity === "fatal") ? "broken" : judged.findings.some((one) => one.gravity === "warning") ? "odd" : "";
    return (
        <div className={`link-item stack ${worst}`} style={{ gap: 8 }}>
            <div className="row">
                <span className="quiet small strong">{words.roles[judged.role]}</span>
                {!judged.sent && <Pill>{words.completed}</Pill>}
            </div>
            <div className="strong wrap">{commonName(judged.certificate)}</div>
            <ValidityBar certificate={judged.certificate} />
            <div className="row small quiet"><span>{text.certificate.sha256}</span><Thumbprint value={judged.certificate.sha256Thumbprint} what={text.certificate.sha256} /></div>
            <Findings findings={judged.findings} />
        </div>
    );
}

export function RefusalView({ refusal }: { refusal: Refusal }) {
    const { verdict } = refusal;
    return (
        <div className="stack">
            <Note tone="bad" title={causeName(refusal.cause)}>
                <div>{sentence(refusal.explanation)}</div>
            </Note>
            {refusal.fix && <Note tone="info" title={words.fix}>{sentence(refusal.fix)}</Note>}
            <Facts facts={[
                [words.at, <Time at={refusal.at} shape="precise" />],
                [words.told, <span><span className="mono">{refusal.errorCode}</span> {refusal.errorMessage}</span>],
                [words.entry, <EntryLink entry={refusal.entry} />],
                [words.peer, <span className="mono">{refusal.peerAddress}</span>],
                [text.device.protocol, `${refusal.protocol} ${refusal.apiVersion}`],
                refusal.userAgent !== "" && [text.device.client, refusal.userAgent],
                refusal.tlsVersion !== "" && [text.device.tls, `${refusal.tlsVersion} ${refusal.tlsCipher}`],
            ]} />
            {verdict.path.length > 0 ? (
                <div className="stack" style={{ gap: 8 }}>
                    <h3 className="h3">{words.chain}</h3>
                    <div className="chain">{verdict.path.map((one, at) => <Judged key={at} judged={one} />)}</div>
                </div>
            ) : verdict.sent.length > 0 ? (
                <div className="stack" style={{ gap: 8 }}>
                    <h3 className="h3">{words.sent}</h3>
                    <div className="chain">{verdict.sent.map((one, at) => <Judged key={at} judged={{ role: at === 0 ? "end-entity" : "intermediate", sent: true, certificate: one, findings: [] }} />)}</div>
                </div>
            ) : null}
            <Findings findings={verdict.findings} />
        </div>
    );
}
