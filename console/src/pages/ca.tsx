// SPDX-License-Identifier: Apache-2.0
// One CA certificate: what it is, where it is used, the proof that its key is ours.
import { Spinner, Tab, TabList } from "@fluentui/react-components";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router-dom";
import { call, segment } from "../api/client.ts";
import { useChange, useOne } from "../api/hooks.ts";
import type { CaCertificate, CaCertificateChange, Deleted, PossessionCode, Preview, RegistrationPage } from "../api/schema.ts";
import { BreachIcon, DeleteIcon, VerifyIcon } from "../icons.ts";
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
import { Asked, ErrorBar, Loading, Note } from "../parts/states.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { connectionCrumb } from "./connection_tabs.tsx";

const words = text.cas;

const fewNames = 12;
const namesMax = 200;

/** Who last proved itself with it, the first by name. */
function Resting({ sha256 }: { sha256: string }) {
    const page = useOne<RegistrationPage>("/registrations", { ca: sha256, limit: namesMax });
    const found = page.data?.items ?? [];
    const more = Boolean(page.data?.next);
    return (
        <Card title={words.devices}>
            <div className="stack">
                <ErrorBar refused={page.error} retry={() => void page.refetch()} />
                {page.isPending && <Loading lines={2} />}
                {page.data && <p className={found.length ? "" : "quiet"}>{found.length ? words.devicesSome(found.length, more) : words.devicesNone}</p>}
                {found.length > 0 && (
                    <>
                        <ul className="plain row" style={{ gap: "2px 14px" }}>
                            {found.slice(0, fewNames).map((one) => <li key={one.registrationId}><Link className="link mono" to={`/ui/devices/${segment(one.registrationId)}`}>{one.registrationId}</Link></li>)}
                            {(found.length > fewNames || more) && <li className="quiet" aria-hidden>…</li>}
                        </ul>
                        <ExportDevices rests={{ ca: sha256 }} total={found.length} label={text.common.export} />
                    </>
                )}
            </div>
        </Card>
    );
}

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
                            <Act needs="ca.write" appearance="primary" disabled={!proof || verify.isPending} icon={verify.isPending ? <Spinner size="extra-tiny" aria-label={text.common.loading} /> : <VerifyIcon />} onClick={() => proof && verify.mutate(proof)}>{text.panel.verify}</Act>
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
    // Verifying one that waits would complete a replacement: the slot's panel knows whom that cuts off.
    const waits = data?.usedBy.filter((use) => use.as === "pending") ?? [];
    const name = data ? data.name || commonName(data.certificate) : id;
    return (
        <Page title={name} crumbs={[connectionCrumb, { name: text.connection.certificates, to: "/ui/device-connection/certificates" }]}
            pills={data && <><VerifiedPill verified={data.verified} verification={data.verification} />{data.attests ? <Pill tone="good">{text.certificate.attests}</Pill> : <Pill tone="warn">{text.certificate.attestsNot}</Pill>}</>}
            actions={data && (
                <>
                    <Act needs="distrust.write" icon={<BreachIcon />} onClick={() => navigate(`/ui/device-connection/distrust?key=${data.certificate.spkiSha256}`)}>{words.distrust}</Act>
                    <Act needs="ca.write" icon={<DeleteIcon />} onClick={() => setDeleting(true)}>{text.common.delete}</Act>
                </>
            )}>
            <Asked query={ca}>
                {(shown) => (
                    <>
                        <div className="cards">
                            <div>
                                <h2 className="sr">{words.itself}</h2>
                                <CertificateCard certificate={shown.certificate} />
                            </div>
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
                                <Resting sha256={shown.certificate.sha256Thumbprint} />
                                {shown.findings.length > 0 && <Card title={words.findings}><Findings findings={shown.findings} /></Card>}
                                {!shown.verified && (waits.length === 0 ? <Prove ca={shown} /> : (
                                    <Card title={words.verifyTitle}>
                                        <div className="stack">
                                            {waits.map((use) => (
                                                <Note key={`${use.group}${use.slot}`} tone="info" actions={<Link className="link" to={`/ui/device-connection/groups/${segment(use.group)}/${use.slot}`}>{text.slots.manage[use.slot]}</Link>}>
                                                    {words.verifyThere(use.group, text.slots.word[use.slot])}
                                                </Note>
                                            ))}
                                        </div>
                                    </Card>
                                ))}
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
