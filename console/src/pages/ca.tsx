// SPDX-License-Identifier: Apache-2.0
// One CA certificate: what it is, where it is used, the proof that its key is ours.
import { Spinner, Tab, TabList } from "@fluentui/react-components";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router-dom";
import { call, segment } from "../api/client.ts";
import { useChange, useOne } from "../api/hooks.ts";
import type { CaCertificate, CaCertificateChange, Deleted, PossessionCode, Preview } from "../api/schema.ts";
import { DeleteIcon, VerifyIcon } from "../icons.ts";
import { verificationWithOpenssl, verificationWithRollcall } from "../lib/commands.ts";
import type { PickedFile } from "../lib/files.ts";
import { Act } from "../parts/act.tsx";
import { CertificateCard, commonName, Findings, VerifiedPill } from "../parts/certificate.tsx";
import { Choices } from "../parts/choice.tsx";
import { ConfirmDialog } from "../parts/confirm.tsx";
import { Command, CopyButton } from "../parts/copy.tsx";
import { FilePicker } from "../parts/file_picker.tsx";
import { Card, Page } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { ExportDevices } from "../parts/preview.tsx";
import { Asked, ErrorBar } from "../parts/states.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { connectionCrumb } from "./connection_tabs.tsx";

const words = text.cas;

function Prove({ ca }: { ca: CaCertificate }) {
    const toast = useToast();
    const path = `/ca-certificates/${segment(ca.id)}`;
    const [code, setCode] = useState<string | null>(null);
    const [tool, setTool] = useState<"rollcall" | "openssl">("rollcall");
    const [proof, setProof] = useState<PickedFile | null>(null);
    const [vouching, setVouching] = useState(false);
    const ask = useChange<void, PossessionCode>(() => call("POST", `${path}/code`, { body: {} }), (answer) => setCode(answer.code));
    const verify = useChange<PickedFile, CaCertificateChange>((file) => call("POST", `${path}/verify`, { body: { certificate: file.content } }), () => toast(text.panel.verified));
    return (
        <Card title={words.verifyTitle}>
            <ol className="steps">
                <li className={code ? "done" : ""}>
                    <div className="stack">
                        <div className="row"><Act needs="ca.write" appearance={code ? "secondary" : "primary"} disabled={ask.isPending} onClick={() => ask.mutate()}>{code ? text.panel.codeAgain : text.panel.code}</Act></div>
                        {!code && ca.codePending && <p className="quiet small">{text.panel.codeAgainHint}</p>}
                        <ErrorBar refused={ask.error} />
                        {code && (
                            <>
                                <div className="command"><div className="grow code-large">{code}</div><CopyButton value={code} what={text.panel.codeTitle} label={text.common.copy} /></div>
                                <p className="quiet small">{text.panel.codeHint}</p>
                                <TabList size="small" selectedValue={tool} onTabSelect={(_, data) => setTool(data.value as "rollcall" | "openssl")}>
                                    <Tab value="rollcall">{text.panel.codeRollcall}</Tab>
                                    <Tab value="openssl">{text.panel.codeOpenssl}</Tab>
                                </TabList>
                                <Command fold what={tool === "rollcall" ? text.panel.codeRollcall : text.panel.codeOpenssl} value={tool === "rollcall" ? verificationWithRollcall(code) : verificationWithOpenssl(code)} />
                                <p className="quiet small">{text.panel.codeFiles}</p>
                            </>
                        )}
                    </div>
                </li>
                <li>
                    <div className="stack">
                        <FilePicker slim label={text.panel.proof} file={proof} onPick={setProof} hint={text.panel.proofHint} />
                        <ErrorBar refused={verify.error} title={text.file.refused(proof?.name ?? "")} />
                        <div className="row">
                            <Act needs="ca.write" appearance="primary" disabled={!proof || verify.isPending} icon={verify.isPending ? <Spinner size="extra-tiny" /> : <VerifyIcon />} onClick={() => proof && verify.mutate(proof)}>{text.panel.verify}</Act>
                            <Act needs="ca.write" appearance="subtle" onClick={() => setVouching(true)}>{text.panel.orVouch}</Act>
                        </div>
                    </div>
                </li>
            </ol>
            {vouching && (
                <ConfirmDialog<CaCertificateChange> title={text.panel.vouchTitle} action={text.panel.vouchAction} close={() => setVouching(false)} done={() => toast(text.panel.verified)}
                    act={(reason) => call("POST", `${path}/verify`, { body: { vouch: true, ...(reason ? { reason } : {}) } })}><p>{text.panel.vouchLead}</p></ConfirmDialog>
            )}
        </Card>
    );
}

export default function Ca() {
    const { ca: id = "" } = useParams();
    const navigate = useNavigate();
    const toast = useToast();
    const path = `/ca-certificates/${segment(id)}`;
    const ca = useOne<CaCertificate>(path, { pem: true });
    const [deleting, setDeleting] = useState(false);
    const [mode, setMode] = useState<"plain" | "breach">("plain");
    const data = ca.data;
    const name = data ? data.name || commonName(data.certificate) : id;
    return (
        <Page title={name} crumbs={[connectionCrumb, { name: text.connection.certificates, to: "/ui/device-connection/certificates" }]}
            pills={data && <><VerifiedPill verified={data.verified} verification={data.verification} />{data.attests ? <Pill tone="good">{text.certificate.attests}</Pill> : <Pill tone="warn">{text.certificate.attestsNot}</Pill>}</>}
            actions={data && <Act needs="ca.write" icon={<DeleteIcon />} onClick={() => setDeleting(true)}>{text.common.delete}</Act>}>
            <Asked query={ca}>
                {(shown) => (
                    <>
                        <div className="cards">
                            <CertificateCard certificate={shown.certificate} />
                            <div className="stack wide">
                                <Card title={words.usedTitle}>
                                    {shown.usedBy.length === 0 ? <p className="quiet">{words.usedByNone}</p> : (
                                        <div className="list">
                                            {shown.usedBy.map((use) => (
                                                <div className="item" key={`${use.group}${use.slot}${use.as}`}>
                                                    <Link className="link grow" to={`/ui/device-connection/groups/${segment(use.group)}/${use.slot}`}>{use.group}</Link>
                                                    <span className="quiet">{text.slots.title[use.slot]}</span>
                                                    {use.as === "pending" ? <Pill tone="info">{text.certificate.pending}</Pill> : <Pill>{text.certificate.current}</Pill>}
                                                </div>
                                            ))}
                                        </div>
                                    )}
                                </Card>
                                <Card title={words.devices}><ExportDevices rests={{ ca: shown.certificate.sha256Thumbprint }} total={0} label={text.common.export} /></Card>
                                {shown.findings.length > 0 && <Card title={words.findings}><Findings findings={shown.findings} /></Card>}
                                {!shown.verified && <Prove ca={shown} />}
                            </div>
                        </div>
                        {deleting && (
                            <ConfirmDialog<Deleted> title={words.deleteTitle(name)} action={text.common.delete} danger wide close={() => setDeleting(false)} gone={path}
                                done={() => { toast(words.deleted); navigate("/ui/device-connection/certificates"); }}
                                act={(reason) => call("DELETE", path, { query: { mode, reason }, ifMatch: shown.etag })}
                                preview={() => call<Preview>("DELETE", path, { query: { mode, dryRun: true } })} previewKey={[id, mode]} rests={[{ ca: shown.certificate.sha256Thumbprint }]}>
                                <p>{words.deleteLead}</p>
                                <Choices<"plain" | "breach"> label={words.deleteTitle(name)} value={mode} onChange={setMode}
                                    choices={(["plain", "breach"] as const).map((one) => ({ value: one, title: words.deleteModes[one], says: text.panel.removeSays[one], danger: one === "breach" }))} />
                            </ConfirmDialog>
                        )}
                    </>
                )}
            </Asked>
        </Page>
    );
}
