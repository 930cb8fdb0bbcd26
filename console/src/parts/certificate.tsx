// SPDX-License-Identifier: Apache-2.0
// A certificate as people read it: whose, until when, and whether it counts.
import { Button } from "@fluentui/react-components";
import { useState, type ReactNode } from "react";
import type { Certificate, Finding, Verification } from "../api/schema.ts";
import { relative, spent, standing } from "../lib/time.ts";
import { download } from "../lib/files.ts";
import { DownloadIcon } from "../icons.ts";
import { sentence, text } from "../text.ts";
import { Thumbprint } from "./copy.tsx";
import { Facts } from "./page.tsx";
import { Pill } from "./pill.tsx";
import { Note } from "./states.tsx";
import { Time, useNow } from "./time.tsx";

export function commonName(certificate: Certificate): string {
    return certificate.commonName || certificate.subject || certificate.sha256Thumbprint.slice(0, 16);
}

export function ValidityPill({ certificate, quietly }: { certificate: { notBefore: string; notAfter: string }; quietly?: boolean }) {
    const now = useNow();
    const state = standing(certificate.notBefore, certificate.notAfter, now);
    if (state === "good") return quietly ? null : <Pill tone="good">{text.certificate.valid}</Pill>;
    if (state === "soon") return <Pill tone="warn">{text.certificate.endsSoon}</Pill>;
    if (state === "future") return <Pill tone="warn">{text.certificate.notYet}</Pill>;
    return <Pill tone="bad">{text.certificate.expired}</Pill>;
}

export function ValidityBar({ certificate }: { certificate: { notBefore: string; notAfter: string } }) {
    const now = useNow();
    const { notBefore, notAfter } = certificate;
    const state = standing(notBefore, notAfter, now);
    const part = spent(notBefore, notAfter, now);
    const word = state === "expired" ? text.certificate.ended(relative(notAfter, now))
        : state === "future" ? text.certificate.begins(relative(notBefore, now))
            : text.certificate.ends(relative(notAfter, now));
    return (
        <div className={`validity ${state}`}>
            <div className="track" role="img" aria-label={`${text.certificate.validity}: ${word}`}>
                <div className="spent" style={{ width: `${Math.max(1, part * 100)}%` }} />
            </div>
            <div className="ends">
                <Time at={notBefore} shape="date" />
                <span className="strong">{word}</span>
                <Time at={notAfter} shape="date" />
            </div>
        </div>
    );
}

export function VerifiedPill({ verified, verification }: { verified: boolean; verification: Verification | null }) {
    if (!verified) return <Pill tone="warn">{text.certificate.unverified}</Pill>;
    return (
        <>
            <Pill tone="good">{text.certificate.verified}</Pill>
            {verification?.how === "vouched" && <Pill>{text.certificate.vouched(verification.by)}</Pill>}
        </>
    );
}

export function CertificateFacts({ certificate, all }: { certificate: Certificate; all?: boolean }) {
    return (
        <Facts facts={[
            [text.certificate.issuer, certificate.issuer === certificate.subject ? text.certificate.selfSigned : certificate.issuer],
            [text.certificate.sha1, <Thumbprint value={certificate.sha1Thumbprint} what={text.certificate.sha1} whole />],
            [text.certificate.sha256, <Thumbprint value={certificate.sha256Thumbprint} what={text.certificate.sha256} whole={all} />],
            [text.certificate.key, certificate.key],
            all && [text.certificate.serial, <span className="mono">{certificate.serialNumber}</span>],
            all && [text.certificate.signature, certificate.signatureAlgorithm],
            all && [text.certificate.spki, <Thumbprint value={certificate.spkiSha256} what={text.certificate.spki} whole />],
        ]} />
    );
}

export function CertificateCard({ certificate, label, pills, children, plain }: {
    certificate: Certificate;
    /** "Current", "Pending", "What comes". */
    label?: ReactNode;
    pills?: ReactNode;
    children?: ReactNode;
    /** Inside another card. */
    plain?: boolean;
}) {
    const [all, setAll] = useState(false);
    return (
        <article className={plain ? "stack" : "card stack"} aria-label={commonName(certificate)}>
            <div className="row">
                {label && <span className="quiet strong small">{label}</span>}
                {pills}
                <ValidityPill certificate={certificate} quietly />
            </div>
            <div>
                <h3 className="h3 wrap">{commonName(certificate)}</h3>
                {certificate.subject !== `CN=${certificate.commonName}` && <div className="quiet small wrap">{certificate.subject}</div>}
            </div>
            <ValidityBar certificate={certificate} />
            <CertificateFacts certificate={certificate} all={all} />
            <div className="row">
                <Button size="small" appearance="subtle" aria-expanded={all} onClick={() => setAll(!all)}>
                    {all ? text.certificate.less : text.certificate.more}
                </Button>
                {certificate.pem && (
                    <Button size="small" appearance="subtle" icon={<DownloadIcon />}
                        onClick={() => download(`${commonName(certificate).replace(/[^\w.-]+/g, "-")}.pem`, certificate.pem ?? "", "application/x-pem-file")}>
                        {text.certificate.download}
                    </Button>
                )}
            </div>
            {children}
        </article>
    );
}

/** What is odd, the gravest first, each with what would mend it. */
export function Findings({ findings }: { findings: Finding[] }) {
    if (findings.length === 0) return null;
    const weight = { fatal: 0, warning: 1, note: 2 };
    return (
        <div className="stack" style={{ gap: 8 }}>
            {[...findings].sort((a, b) => weight[a.gravity] - weight[b.gravity]).map((finding, at) => (
                <Note key={`${finding.fault}${at}`} tone={finding.gravity === "fatal" ? "bad" : finding.gravity === "warning" ? "warn" : "info"}>
                    <div>{sentence(finding.detail)}</div>
                    {finding.fix && <div className="quiet small">{text.certificate.fix}: {finding.fix}</div>}
                </Note>
            ))}
        </div>
    );
}
