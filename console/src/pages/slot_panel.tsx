// SPDX-License-Identifier: Apache-2.0
// Manage primary, Manage secondary: everything that can be done to one slot of a group, with what it
// would do shown before it is done.
import {
    Button, Checkbox, DrawerBody, DrawerHeader, DrawerHeaderTitle, Field, Input, OverlayDrawer, Spinner, Switch, Tab, TabList,
} from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router-dom";
import { call, segment, type Refused } from "../api/client.ts";
import { useChange, useOne } from "../api/hooks.ts";
import type {
    CaCertificateChange, CertificateAdoption, Group, GroupAdoption, GroupCertificateSet, GroupChange, PossessionCode, Preview, Slot, SlotCertificate,
} from "../api/schema.ts";
import { AddIcon, CloseIcon, DeleteIcon, VerifyIcon } from "../icons.ts";
import { verificationWithOpenssl, verificationWithRollcall } from "../lib/commands.ts";
import type { PickedFile } from "../lib/files.ts";
import { Act } from "../parts/act.tsx";
import { CertificateCard, VerifiedPill } from "../parts/certificate.tsx";
import { Choices } from "../parts/choice.tsx";
import { ConfirmDialog } from "../parts/confirm.tsx";
import { Command, CopyButton } from "../parts/copy.tsx";
import { FilePicker } from "../parts/file_picker.tsx";
import { useKeptFocus } from "../parts/kept_focus.ts";
import { Card } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { ExportDevices, PreviewView, Stranded } from "../parts/preview.tsx";
import { ErrorBar, Loading, Note } from "../parts/states.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";

const words = text.panel;

export const otherSlot = (slot: Slot): Slot => (slot === "primary" ? "secondary" : "primary");
const path = (group: string, slot: Slot) => `/groups/${segment(group)}/certificates/${slot}`;
const isEmpty = (group: Group, slot: Slot) => !group.certificates[slot].current && !group.certificates[slot].pending;

export function restingOn(adoption: GroupAdoption | undefined, slot: Slot, sha256: string | undefined): CertificateAdoption | undefined {
    return adoption?.certificates.find((one) => one.slot === slot && one.sha256Thumbprint === sha256);
}

export function Resting({ group, adoption, slot, sha256 }: { group: string; adoption: GroupAdoption | undefined; slot: Slot; sha256: string }) {
    const n = restingOn(adoption, slot, sha256)?.devices ?? 0;
    if (!adoption) return null;
    return (
        <div className="row">
            <Pill tone={n > 0 ? "info" : "plain"}>{n > 0 ? text.group.devicesOn(n) : text.group.nobodyOn}</Pill>
            {n > 0 && <ExportDevices rests={{ group, ca: sha256 }} total={n} label={text.common.export} />}
        </div>
    );
}

/** Code, command, proof. */
function ProveIt({ group, slot, held, completes, carry, goOther }: {
    group: Group; slot: Slot; held: SlotCertificate;
    /** The certificate that goes when this one is verified. */
    completes: SlotCertificate | null;
    carry: PickedFile | null;
    goOther: (file: PickedFile | null) => void;
}) {
    const toast = useToast();
    const [code, setCode] = useState<PossessionCode | null>(null);
    const [tool, setTool] = useState<"rollcall" | "openssl">("rollcall");
    const [proof, setProof] = useState<PickedFile | null>(null);
    const [vouching, setVouching] = useState(false);
    const [understood, setUnderstood] = useState(false);
    const pem = held.certificate?.pem ?? "";
    // Completing the replacement takes the old certificate away: who rests on that one?
    const impact = useQuery<Preview, Refused>({
        queryKey: ["completes", group.id, slot, held.id, completes?.id],
        queryFn: () => call<Preview>("POST", `${path(group.id, slot)}/preview`, { body: { certificate: pem, mode: "replaceNow", vouch: true, force: true } }),
        enabled: Boolean(completes && pem),
    });
    const stranded = impact.data?.impact.devices ?? 0;
    const ask = useChange<void, PossessionCode>(() => call("POST", `${path(group.id, slot)}/code`, { body: {} }), setCode);
    const verify = useChange<PickedFile, GroupChange>(
        (file) => call("POST", `${path(group.id, slot)}/verify`, { body: { certificate: file.content } }),
        () => { toast(words.verified); setProof(null); setCode(null); },
    );
    const shown = code && code.caCertificate === held.id ? code.code : null;
    return (
        <Card title={words.verifyTitle}>
            <div className="stack">
                <p className="quiet">{words.verifyLead}</p>
                {completes && (
                    <div className="stack">
                        <Note tone="info">{words.verifyCompletes}</Note>
                        {impact.error && <ErrorBar refused={impact.error} />}
                        {impact.data && <Stranded devices={stranded} first={impact.data.impact.first}
                            rests={completes.certificate ? [{ group: group.id, ca: completes.certificate.sha256Thumbprint }] : []} />}
                        {stranded > 0 && isEmpty(group, otherSlot(slot)) && (
                            <Note tone="info" actions={<Button size="small" onClick={() => goOther(carry ?? (pem ? { name: `${held.name || held.certificate?.commonName || "ca"}.pem`, content: pem } : null))}>{words.otherSlot[otherSlot(slot)]}</Button>}>
                                {words.otherSlotHint(text.slots.word[otherSlot(slot)], stranded)}
                            </Note>
                        )}
                    </div>
                )}
                <ol className="steps">
                    <li className={shown ? "done" : ""}>
                        <div className="stack">
                            <div className="row">
                                <Act needs="group.write" appearance={shown ? "secondary" : "primary"} disabled={ask.isPending} onClick={() => ask.mutate()}
                                    icon={ask.isPending ? <Spinner size="extra-tiny" /> : undefined}>
                                    {shown ? words.codeAgain : words.code}
                                </Act>
                            </div>
                            {!shown && held.codePending && <p className="quiet small">{words.codeAgainHint}</p>}
                            <ErrorBar refused={ask.error} />
                            {shown && (
                                <div className="stack">
                                    <div className="stack tight">
                                        <div className="strong small">{words.codeTitle}</div>
                                        <div className="command"><div className="grow code-large" data-testid="code">{shown}</div><CopyButton value={shown} what={words.codeTitle} label={text.common.copy} /></div>
                                    </div>
                                    <p className="quiet small">{words.codeHint}</p>
                                    <TabList size="small" selectedValue={tool} onTabSelect={(_, data) => setTool(data.value as "rollcall" | "openssl")}>
                                        <Tab value="rollcall">{words.codeRollcall}</Tab>
                                        <Tab value="openssl">{words.codeOpenssl}</Tab>
                                    </TabList>
                                    <Command fold what={tool === "rollcall" ? words.codeRollcall : words.codeOpenssl}
                                        value={tool === "rollcall" ? verificationWithRollcall(shown) : verificationWithOpenssl(shown)} />
                                    <p className="quiet small">{words.codeFiles}</p>
                                </div>
                            )}
                        </div>
                    </li>
                    <li>
                        <div className="stack">
                            <FilePicker slim label={words.proof} file={proof} onPick={setProof} hint={words.proofHint} />
                            {stranded > 0 && (
                                <Checkbox checked={understood} onChange={(_, data) => setUnderstood(Boolean(data.checked))} label={text.preview.understand(stranded)} />
                            )}
                            <ErrorBar refused={verify.error} title={text.file.refused(proof?.name ?? "")} />
                            <div className="row">
                                <Act needs="group.write" appearance="primary" disabled={!proof || verify.isPending || (stranded > 0 && !understood)}
                                    icon={verify.isPending ? <Spinner size="extra-tiny" /> : <VerifyIcon />} onClick={() => proof && verify.mutate(proof)}>{words.verify}</Act>
                                <Act needs="ca.write" appearance="subtle" onClick={() => setVouching(true)}>{words.orVouch}</Act>
                            </div>
                        </div>
                    </li>
                </ol>
            </div>
            {vouching && (
                <ConfirmDialog<CaCertificateChange> title={words.vouchTitle} action={words.vouchAction} close={() => setVouching(false)} done={() => toast(words.verified)}
                    act={(reason) => call("POST", `/ca-certificates/${segment(held.id)}/verify`, { body: { vouch: true, ...(reason ? { reason } : {}) } })}
                    {...(completes ? { preview: () => call<Preview>("POST", `${path(group.id, slot)}/preview`, { body: { certificate: pem, mode: "replaceNow", vouch: true, force: true } }) } : {})}
                    {...(completes?.certificate ? { rests: [{ group: group.id, ca: completes.certificate.sha256Thumbprint }] } : {})}>
                    <p>{words.vouchLead}</p>
                </ConfirmDialog>
            )}
        </Card>
    );
}

type Mode = NonNullable<GroupCertificateSet["mode"]>;

/** The file, what the server thinks of it, and how it takes its place. */
function AddCertificate({ group, slot, carried, goOther, close }: {
    group: Group; slot: Slot; carried: PickedFile | null; goOther: (file: PickedFile | null) => void; close: () => void;
}) {
    const toast = useToast();
    const held = group.certificates[slot];
    const occupied = held.current;
    const [file, setFile] = useState<PickedFile | null>(carried);
    const [vouch, setVouch] = useState(false);
    const [mode, setMode] = useState<Mode>("staged");
    const [force, setForce] = useState(false);
    const [reason, setReason] = useState("");
    const [understood, setUnderstood] = useState(false);
    const body = (): GroupCertificateSet => ({
        certificate: file?.content ?? "", vouch,
        ...(occupied ? { mode } : {}), ...(force ? { force } : {}), ...(reason.trim() ? { reason: reason.trim() } : {}),
    });
    // The mode without words of ours: the preview does not depend on the reason.
    const asked = useQuery<Preview, Refused>({
        queryKey: ["slot-preview", group.id, group.etag, slot, file?.content, vouch, occupied ? mode : "first", force],
        queryFn: () => call<Preview>("POST", `${path(group.id, slot)}/preview`, { query: { pem: true }, body: body() }),
        enabled: Boolean(file),
        retry: false,
        staleTime: 30_000,
    });
    const save = useChange<void, GroupChange>(() => call("PUT", path(group.id, slot), { body: body(), ifMatch: group.etag }), (change) => {
        toast(change.pending || !vouch ? words.savedPending : words.saved);
        close();
    });
    const preview = asked.data;
    const fatal = (preview?.findings ?? []).some((finding) => finding.gravity === "fatal");
    const couldForce = asked.error?.status === 422 || asked.error?.code === "could-never-attest" || /force/.test(asked.error?.detail ?? "") || fatal || force;
    const stranded = preview && !preview.pending ? preview.impact.devices : 0;
    const ready = Boolean(file && preview) && !save.isPending && (stranded === 0 || understood) && (!fatal || force);
    const other = otherSlot(slot);
    return (
        <Card title={occupied ? words.addAnother : words.add}>
            <div className="stack">
                <p className="quiet">{words.addLead}</p>
                <FilePicker label={text.slots.file[slot]} file={file} onPick={(picked) => { setFile(picked); setUnderstood(false); setForce(false); }} />
                {file && (
                    <>
                        <Field hint={vouch ? words.vouchOn : words.vouchOff}>
                            <Switch checked={vouch} label={words.vouch} onChange={(_, data) => setVouch(data.checked)} />
                        </Field>
                        {occupied && (
                            <div className="stack" style={{ gap: 8 }}>
                                <div className="strong">{words.how}</div>
                                <Choices<Mode> label={words.how} value={mode} onChange={(next) => { setMode(next); setUnderstood(false); }}
                                    choices={(["staged", "replaceNow", "breach"] as const).map((one) => ({ value: one, title: words.modes[one], says: words.modeSays[one], danger: one === "breach" }))} />
                            </div>
                        )}
                        {asked.isPending && <Spinner size="tiny" labelPosition="after" label={text.preview.asking} />}
                        <ErrorBar refused={asked.error} title={text.file.refused(file.name)} />
                        {preview && (
                            <section aria-label={text.preview.title} className="stack">
                                <div className="row"><h3 className="h3">{text.preview.title}</h3></div>
                                {text.preview.change[preview.change] && <p>{text.preview.change[preview.change]}</p>}
                                <PreviewView preview={preview} showIncoming {...(occupied?.certificate ? { rests: [{ group: group.id, ca: occupied.certificate.sha256Thumbprint }] } : {})} />
                                {occupied && mode !== "breach" && isEmpty(group, other) && preview.change !== "same-key-renewed" && preview.change !== "same-certificate" && (
                                    <Note tone="info" actions={<Button size="small" onClick={() => goOther(file)}>{words.otherSlot[other]}</Button>}>
                                        {words.otherSlotHint(text.slots.word[other], preview.impact.devices)}
                                    </Note>
                                )}
                            </section>
                        )}
                        {couldForce && <Checkbox checked={force} onChange={(_, data) => setForce(Boolean(data.checked))} label={words.force} />}
                        {stranded > 0 && <Checkbox checked={understood} onChange={(_, data) => setUnderstood(Boolean(data.checked))} label={text.preview.understand(stranded)} />}
                        <Field label={text.common.reason} hint={text.common.reasonHint}><Input value={reason} maxLength={1024} onChange={(_, data) => setReason(data.value)} /></Field>
                        <ErrorBar refused={save.error} />
                    </>
                )}
                <div className="row">
                    <Act needs="group.write" appearance="primary" disabled={!ready} className={mode === "breach" && occupied ? "danger-button" : undefined}
                        icon={save.isPending ? <Spinner size="extra-tiny" /> : undefined} onClick={() => save.mutate()}>{text.common.save}</Act>
                    {(file || occupied) && <Button onClick={close}>{text.common.cancel}</Button>}
                </div>
            </div>
        </Card>
    );
}

function RemoveCertificate({ group, slot, goOther, close }: { group: Group; slot: Slot; goOther: () => void; close: () => void }) {
    const toast = useToast();
    const [mode, setMode] = useState<"plain" | "breach">("plain");
    const held = group.certificates[slot].current;
    const other = otherSlot(slot);
    return (
        <ConfirmDialog<GroupChange> title={words.removeTitle[slot]} action={text.common.remove} danger wide close={close} done={() => toast(words.removed)}
            act={(reason) => call("DELETE", path(group.id, slot), { query: { mode, reason }, ifMatch: group.etag })}
            preview={() => call<Preview>("DELETE", path(group.id, slot), { query: { mode, dryRun: true } })} previewKey={[group.id, slot, mode]}
            {...(held?.certificate ? { rests: [{ group: group.id, ca: held.certificate.sha256Thumbprint }] } : {})}>
            <Choices<"plain" | "breach"> label={words.removeTitle[slot]} value={mode} onChange={setMode}
                choices={(["plain", "breach"] as const).map((one) => ({ value: one, title: words.removeModes[one], says: words.removeSays[one], danger: one === "breach" }))} />
            {isEmpty(group, other) && (
                <Note tone="warn" actions={<Button size="small" onClick={goOther}>{words.otherSlot[other]}</Button>}>{words.removeOnly(text.slots.word[other])}</Note>
            )}
        </ConfirmDialog>
    );
}

export function SlotPanel({ group: name, slot }: { group: string; slot: Slot }) {
    const navigate = useNavigate();
    const toast = useToast();
    const kept = useKeptFocus<HTMLDivElement>();
    const group = useOne<Group>(`/groups/${segment(name)}`, { pem: true });
    const adoption = useOne<GroupAdoption>(`/groups/${segment(name)}/adoption`);
    const [adding, setAdding] = useState(false);
    const [removing, setRemoving] = useState<"current" | "pending" | null>(null);
    const [carried, setCarried] = useState<PickedFile | null>(null);
    const home = `/ui/device-connection/groups/${segment(name)}`;
    const close = () => navigate(home);
    const goOther = (file: PickedFile | null) => {
        setCarried(file);
        setRemoving(null);
        setAdding(true);
        navigate(`${home}/${otherSlot(slot)}`, { replace: true });
    };
    const held = group.data?.certificates[slot];
    const current = held?.current ?? null;
    const pending = held?.pending ?? null;
    const unproved = pending ?? (current && !current.verified && !current.dangling ? current : null);
    return (
        <OverlayDrawer open position="end" size="large" onOpenChange={(_, data) => { if (!data.open) close(); }} style={{ width: "min(720px, 100vw)" }} aria-label={text.slots.manage[slot]}>
            <DrawerHeader>
                <DrawerHeaderTitle action={<Button appearance="subtle" aria-label={text.common.close} icon={<CloseIcon />} onClick={close} />}>{text.slots.manage[slot]}</DrawerHeaderTitle>
                <div className="quiet" ref={kept} tabIndex={-1} style={{ outline: "none" }}>{words.of(name)}</div>
            </DrawerHeader>
            <DrawerBody>
                <div className="panel-body" style={{ paddingTop: 12 }}>
                    {group.isPending && <Loading lines={6} />}
                    <ErrorBar refused={group.error} retry={() => void group.refetch()} />
                    {group.data && (
                        <>
                            {current && (current.certificate ? (
                                <CertificateCard certificate={current.certificate} label={text.certificate.current}
                                    pills={<><VerifiedPill verified={current.verified} verification={current.verification} />{current.verified && !current.attests && <Pill tone="warn">{text.certificate.attestsNot}</Pill>}</>}>
                                    <Resting group={name} adoption={adoption.data} slot={slot} sha256={current.certificate.sha256Thumbprint} />
                                    <div className="row">
                                        <Act needs="group.write" icon={<DeleteIcon />} onClick={() => setRemoving("current")}>{words.remove}</Act>
                                    </div>
                                </CertificateCard>
                            ) : (
                                <Note tone="warn" actions={<Act size="small" needs="group.write" onClick={() => setRemoving("current")}>{words.remove}</Act>}>{text.certificate.dangling}</Note>
                            ))}
                            {pending?.certificate && (
                                <CertificateCard certificate={pending.certificate} label={text.certificate.pending} pills={<VerifiedPill verified={pending.verified} verification={pending.verification} />}>
                                    <div className="row"><Act needs="group.write" icon={<DeleteIcon />} onClick={() => setRemoving("pending")}>{words.removePending}</Act></div>
                                </CertificateCard>
                            )}
                            {unproved && <ProveIt key={unproved.id} group={group.data} slot={slot} held={unproved} completes={pending ? current : null} carry={null} goOther={goOther} />}
                            {adding || (!current && !pending) ? (
                                <AddCertificate key={slot} group={group.data} slot={slot} carried={carried} goOther={goOther} close={() => { setAdding(false); setCarried(null); }} />
                            ) : (
                                <div className="row"><Act needs="group.write" appearance={unproved ? "secondary" : "primary"} icon={<AddIcon />} onClick={() => setAdding(true)}>{words.add}</Act></div>
                            )}
                        </>
                    )}
                </div>
                {removing === "current" && group.data && <RemoveCertificate group={group.data} slot={slot} goOther={() => goOther(null)} close={() => setRemoving(null)} />}
                {removing === "pending" && group.data && (
                    <ConfirmDialog<GroupChange> title={words.removePending} action={text.common.remove} close={() => setRemoving(null)} done={() => toast(words.removed)}
                        act={(reason) => call("DELETE", path(name, slot), { query: { pendingOnly: true, reason }, ifMatch: group.data.etag })}>
                        <p>{words.removePendingLead}</p>
                    </ConfirmDialog>
                )}
            </DrawerBody>
        </OverlayDrawer>
    );
}
