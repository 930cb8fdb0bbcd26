// SPDX-License-Identifier: Apache-2.0
// Connect: what a device needs to register, and how it proves itself. An individual enrollment's
// certificates come in by the folder icons and are saved together.
import {
    Button, DrawerBody, DrawerFooter, DrawerHeader, DrawerHeaderTitle, Field, Input, OverlayDrawer, Radio, RadioGroup, Select, Spinner,
} from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, segment, type Refused } from "../api/client.ts";
import { useChange, useOne } from "../api/hooks.ts";
import type {
    Certificate, Deleted, Device, Enrollment, EnrollmentChange, EnrollmentUpdate, Inspection, Keys, Preview, Server, Slot,
} from "../api/schema.ts";
import { CloseIcon, DownloadIcon, ShowIcon, SwapIcon } from "../icons.ts";
import { download, type PickedFile } from "../lib/files.ts";
import { Act } from "../parts/act.tsx";
import { CertificateCard, commonName, Findings, ValidityBar, ValidityPill } from "../parts/certificate.tsx";
import { Choices } from "../parts/choice.tsx";
import { ConfirmDialog } from "../parts/confirm.tsx";
import { CopyButton, Thumbprint } from "../parts/copy.tsx";
import { FilePicker } from "../parts/file_picker.tsx";
import { useKeptFocus } from "../parts/kept_focus.ts";
import { Card, Facts } from "../parts/page.tsx";
import { PreviewView } from "../parts/preview.tsx";
import { EntryLink } from "../parts/refusal.tsx";
import { useCan } from "../parts/session.tsx";
import { ErrorBar, Loading, Note } from "../parts/states.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { doorAddress } from "./door_address.ts";
import { KeyModes } from "./key_modes.tsx";

const words = text.connect;
const slots: Slot[] = ["primary", "secondary"];
type Files = Record<Slot, PickedFile | null>;
type Mode = NonNullable<EnrollmentUpdate["mode"]>;
const other = (slot: Slot): Slot => (slot === "primary" ? "secondary" : "primary");

function Needs({ registrationId }: { registrationId: string }) {
    const server = useOne<Server>("/server", {}, { stale: 60_000 });
    if (!server.data) return <Loading lines={3} />;
    const copied = (value: string, what: string) => <span className="row nowrap" style={{ gap: 2 }}><span className="mono wrap">{value}</span><CopyButton value={value} what={what} /></span>;
    return (
        <div className="stack">
            <Facts facts={[
                [words.scope, copied(server.data.scopeId, words.scope)],
                [words.registrationId, copied(registrationId, words.registrationId)],
                ...["device-https", "device-mqtt", "device-amqp"].map((door): [string, React.ReactNode] | null => {
                    const at = doorAddress(server.data, door);
                    return at ? [words.doors[door] ?? door, copied(at, words.doors[door] ?? door)] : null;
                }),
            ]} />
            {server.data.serverCa && (
                <div className="row">
                    <Button size="small" icon={<DownloadIcon />} onClick={() => download("rollcall-ca.pem", server.data.serverCa ?? "", "application/x-pem-file")}>{words.downloadCa}</Button>
                    <span className="quiet small">{words.serverCa}</span>
                </div>
            )}
        </div>
    );
}

function Held({ certificate, slot, remove }: { certificate: Certificate; slot: Slot; remove: () => void }) {
    return (
        <div className="stack" style={{ gap: 8 }}>
            <div className="row spread">
                <span className="row"><span className="strong wrap">{commonName(certificate)}</span><ValidityPill certificate={certificate} quietly /></span>
                <Act size="small" needs="enrollment.write" aria-label={`${words.remove}: ${words.current[slot]}`} onClick={remove}>{words.remove}</Act>
            </div>
            <ValidityBar certificate={certificate} />
            <div className="row small quiet"><span>{text.certificate.sha1}</span><Thumbprint value={certificate.sha1Thumbprint} what={text.certificate.sha1} /><span>{text.certificate.sha256}</span><Thumbprint value={certificate.sha256Thumbprint} what={text.certificate.sha256} /></div>
        </div>
    );
}

/** Of a file for an enrollment that is not there yet. */
function Inspected({ registrationId, file, slot }: { registrationId: string; file: PickedFile; slot: Slot }) {
    const asked = useQuery<Inspection, Refused>({
        queryKey: ["inspect", registrationId, file.content],
        queryFn: () => call("POST", "/certificates/inspect", { query: { pem: true }, body: { certificate: file.content, as: "device", registrationId } }),
        retry: false,
        staleTime: Infinity,
    });
    if (asked.error) return <ErrorBar refused={asked.error} title={text.file.refused(file.name)} />;
    if (!asked.data) return <Spinner size="tiny" label={text.preview.asking} labelPosition="after" />;
    return (
        <CertificateCard certificate={asked.data.certificate} label={words.previewIncoming[slot]}>
            <Findings findings={asked.data.findings} />
        </CertificateCard>
    );
}

function Certificates({ registrationId, enrollment, saved }: { registrationId: string; enrollment: Enrollment | null; saved: () => void }) {
    const toast = useToast();
    const may = useCan("enrollment.write");
    const [files, setFiles] = useState<Files>({ primary: null, secondary: null });
    const [mode, setMode] = useState<Mode>("plain");
    const [reason, setReason] = useState("");
    const [removing, setRemoving] = useState<Slot | null>(null);
    const [swapping, setSwapping] = useState(false);
    const [removal, setRemoval] = useState<"plain" | "breach">("plain");
    const path = `/enrollments/${segment(registrationId)}`;
    const chosen = slots.filter((slot) => files[slot]);
    const replaces = chosen.filter((slot) => enrollment?.certificates[slot]);
    const certificates = Object.fromEntries(chosen.map((slot) => [slot, files[slot]!.content])) as Partial<Record<Slot, string>>;
    const body = (): EnrollmentUpdate => ({ certificates, ...(replaces.length > 0 ? { mode } : {}), ...(reason.trim() ? { reason: reason.trim() } : {}) });
    const asked = useQuery<Preview, Refused>({
        queryKey: ["enrollment-preview", registrationId, enrollment?.etag, certificates, mode],
        queryFn: () => call("PATCH", path, { query: { dryRun: true, pem: true }, body: { certificates, ...(replaces.length > 0 ? { mode } : {}) } }),
        enabled: Boolean(enrollment && chosen.length > 0 && may),
        retry: false,
    });
    const save = useChange<void, EnrollmentChange>(
        () => (enrollment
            ? call("PATCH", path, { body: body(), ifMatch: enrollment.etag })
            : call("POST", "/enrollments", { body: { registrationId, certificates, ...(reason.trim() ? { reason: reason.trim() } : {}) } })),
        () => {
            toast(enrollment ? words.saved : words.created);
            setFiles({ primary: null, secondary: null });
            setReason("");
            saved();
        },
    );
    const ready = chosen.length > 0 && !save.isPending && (!enrollment || Boolean(asked.data));
    return (
        <div className="stack wide">
            <p className="quiet">{words.x509Lead}</p>
            {slots.map((slot) => {
                const held = enrollment?.certificates[slot] ?? null;
                const file = files[slot];
                return (
                    <div key={slot} className="card stack">
                        <h3 className="h3">{words.current[slot]}</h3>
                        {held ? <Held certificate={held} slot={slot} remove={() => { setRemoval("plain"); setRemoving(slot); }} /> : <span className="quiet">{words.empty}</span>}
                        <FilePicker slim label={text.slots.file[slot]} file={file} hint={text.file.hint} disabled={!may} onPick={(picked) => setFiles({ ...files, [slot]: picked })} />
                        {file && !enrollment && <Inspected registrationId={registrationId} file={file} slot={slot} />}
                        {file && held && !enrollment?.certificates[other(slot)] && !files[other(slot)] && (
                            <Note tone="info" actions={<Button size="small" onClick={() => setFiles({ ...files, [slot]: null, [other(slot)]: file })}>{words.useOther[other(slot)]}</Button>}>
                                {words.expiryHint(text.slots.word[slot], text.slots.word[other(slot)])}
                            </Note>
                        )}
                    </div>
                );
            })}
            {replaces.length > 0 && (
                <div className="stack" style={{ gap: 8 }}>
                    <div className="strong">{words.what}</div>
                    <Choices<Mode> label={words.what} value={mode} onChange={setMode}
                        choices={(["plain", "replaceNow", "breach"] as const).map((one) => ({ value: one, title: words.modes[one], says: words.modeSays[one], danger: one === "breach" }))} />
                </div>
            )}
            {enrollment && chosen.length > 0 && (
                <section className="stack" aria-label={text.preview.title}>
                    <h3 className="h3">{text.preview.title}</h3>
                    {asked.isPending && <Spinner size="tiny" label={text.preview.asking} labelPosition="after" />}
                    <ErrorBar refused={asked.error} title={text.file.refused(chosen.map((slot) => files[slot]?.name).join(", "))} />
                    {asked.data && <PreviewView preview={asked.data} showIncoming />}
                </section>
            )}
            {chosen.length > 0 && <Field label={text.common.reason} hint={text.common.reasonHint}><Input value={reason} maxLength={1024} onChange={(_, data) => setReason(data.value)} /></Field>}
            <ErrorBar refused={save.error} />
            <div className="row">
                <Act needs="enrollment.write" appearance="primary" disabled={!ready} className={mode === "breach" && replaces.length > 0 ? "danger-button" : undefined}
                    icon={save.isPending ? <Spinner size="extra-tiny" /> : undefined} onClick={() => save.mutate()}>{text.common.save}</Act>
                {enrollment?.certificates.primary && enrollment.certificates.secondary && (
                    <Act needs="enrollment.write" icon={<SwapIcon />} onClick={() => setSwapping(true)}>{words.swap}</Act>
                )}
            </div>
            {removing && enrollment && (
                <ConfirmDialog<EnrollmentChange> title={words.removeTitle[removing]} action={words.remove} danger close={() => setRemoving(null)} done={() => toast(text.panel.removed)}
                    act={(said) => call("DELETE", `${path}/certificates/${removing}`, { query: { mode: removal, reason: said }, ifMatch: enrollment.etag })}
                    preview={() => call("DELETE", `${path}/certificates/${removing}`, { query: { mode: removal, dryRun: true } })} previewKey={[registrationId, removing, removal]}>
                    <Choices<"plain" | "breach"> label={words.removeTitle[removing]} value={removal} onChange={setRemoval}
                        choices={(["plain", "breach"] as const).map((one) => ({ value: one, title: text.panel.removeModes[one], says: words.modeSays[one], danger: one === "breach" }))} />
                </ConfirmDialog>
            )}
            {swapping && enrollment && (
                <ConfirmDialog<EnrollmentChange> title={words.swapTitle} action={words.swap} close={() => setSwapping(false)} done={() => toast(text.group.swapped)}
                    act={(said) => call("POST", `${path}/swap`, { body: said ? { reason: said } : {}, ifMatch: enrollment.etag })}><p>{words.swapLead}</p></ConfirmDialog>
            )}
        </div>
    );
}

function SymmetricKeys({ registrationId, enrollment, saved }: { registrationId: string; enrollment: Enrollment | null; saved: () => void }) {
    const toast = useToast();
    const [keys, setKeys] = useState<Keys | null>(null);
    const [renew, setRenew] = useState<Slot | null>(null);
    const [mode, setMode] = useState<Mode>("plain");
    const path = `/enrollments/${segment(registrationId)}`;
    const show = useChange<void, Keys>(() => call("POST", `${path}/show-keys`, { body: {} }), setKeys);
    const create = useChange<void, EnrollmentChange>(() => call("POST", "/enrollments", { body: { registrationId, symmetricKey: {} } }), () => { toast(words.created); saved(); });
    return (
        <div className="stack">
            <p className="quiet">{words.keysLead}</p>
            {enrollment ? (
                <>
                    <div className="row">
                        {keys ? <Button onClick={() => setKeys(null)}>{words.hideKeys}</Button>
                            : <Act needs="key.show" icon={<ShowIcon />} disabled={show.isPending} onClick={() => show.mutate()}>{words.showKeys}</Act>}
                    </div>
                    <ErrorBar refused={show.error} />
                    {slots.map((slot) => {
                        const value = keys ? (slot === "primary" ? keys.primaryKey : keys.secondaryKey) : null;
                        return (
                            <div key={slot} className="stack tight">
                                <div className="row spread"><span className="strong">{text.slots.title[slot]}</span><Act size="small" needs="enrollment.write" onClick={() => { setMode("plain"); setRenew(slot); }}>{words.newKey[slot]}</Act></div>
                                <span className="quiet small mono">{text.group.keyId(enrollment.keyIds?.[slot].slice(0, 16) ?? "")}</span>
                                {value && <div className="command"><code className="grow wrap">{value}</code><CopyButton value={value} what={text.slots.title[slot]} /></div>}
                            </div>
                        );
                    })}
                    {keys && <p className="quiet small">{text.group.keysShown}</p>}
                </>
            ) : (
                <>
                    <Note tone="info">{words.keysMadeUp}</Note>
                    <ErrorBar refused={create.error} />
                    <div className="row"><Act needs="enrollment.write" appearance="primary" disabled={create.isPending} onClick={() => create.mutate()}>{text.common.save}</Act></div>
                </>
            )}
            {renew && enrollment && (
                <ConfirmDialog<EnrollmentChange> title={words.newKey[renew]} action={text.common.create} danger={mode !== "plain"} close={() => setRenew(null)} done={() => setKeys(null)}
                    act={(said) => call("PUT", `${path}/keys/${renew}`, { body: { mode, ...(said ? { reason: said } : {}) }, ifMatch: enrollment.etag })}
                    preview={() => call<Preview>("PUT", `${path}/keys/${renew}`, { query: { dryRun: true }, body: { mode } })} previewKey={[registrationId, renew, mode]}>
                    <p>{text.group.newKeyLead}</p>
                    <KeyModes mode={mode} onChange={setMode} />
                </ConfirmDialog>
            )}
        </div>
    );
}

export function ConnectPanel({ name, registrationId, device, startIndividual, close }: {
    name: string; registrationId: string; device: Device | null; startIndividual: boolean; close: () => void;
}) {
    const toast = useToast();
    const kept = useKeptFocus<HTMLDivElement>();
    const enrollment = useQuery<Enrollment | null, Refused>({
        queryKey: [`/enrollments/${segment(registrationId)}`],
        queryFn: async ({ signal }) => {
            try {
                return await call<Enrollment>("GET", `/enrollments/${segment(registrationId)}`, { query: { pem: true }, signal });
            } catch (error) {
                if ((error as Refused).status === 404) return null;
                throw error;
            }
        },
    });
    const there = enrollment.data ?? null;
    const [type, setType] = useState<"group" | "individual" | null>(startIndividual ? "individual" : null);
    const [method, setMethod] = useState<"x509" | "symmetricKey">("x509");
    const [asking, setAsking] = useState<"disable" | "enable" | "delete" | null>(null);
    const shownType = type ?? (there ? "individual" : "group");
    const shownMethod = there?.attestation ?? method;
    const path = `/enrollments/${segment(registrationId)}`;
    const again = () => void enrollment.refetch();
    return (
        <OverlayDrawer open position="end" size="large" style={{ width: "min(720px, 100vw)" }} onOpenChange={(_, data) => { if (!data.open) close(); }} aria-label={words.title}>
            <DrawerHeader>
                <DrawerHeaderTitle action={<Button appearance="subtle" aria-label={text.common.close} icon={<CloseIcon />} onClick={close} />}>{words.title}</DrawerHeaderTitle>
                <div className="quiet wrap" ref={kept} tabIndex={-1} style={{ outline: "none" }}>{words.of(name)}</div>
            </DrawerHeader>
            <DrawerBody>
                <div className="panel-body" style={{ paddingTop: 12 }}>
                    <Card title={words.endpoint}><Needs registrationId={registrationId} /></Card>
                    <ErrorBar refused={enrollment.error} retry={again} />
                    {enrollment.isPending && <Loading />}
                    {enrollment.data !== undefined && (
                        <>
                            <Field label={words.type} hint={words.typeSays[shownType]}>
                                <RadioGroup value={shownType} layout="horizontal" onChange={(_, data) => setType(data.value as "group" | "individual")}>
                                    <Radio value="group" label={words.types.group} disabled={Boolean(there)} />
                                    <Radio value="individual" label={words.types.individual} />
                                </RadioGroup>
                            </Field>
                            {shownType === "group" && device?.entry && <div><EntryLink entry={device.entry} /></div>}
                            {shownType === "individual" && (
                                <>
                                    <Note tone="info">{words.noteIndividual}</Note>
                                    {there && !there.enabled && <Note tone="bad">{words.disabled}</Note>}
                                    <Field label={words.method} hint={there ? words.otherMethod(words.methods[there.attestation]) : undefined}>
                                        <Select value={shownMethod} disabled={Boolean(there)} onChange={(_, data) => setMethod(data.value as "x509" | "symmetricKey")}>
                                            <option value="x509">{words.methods.x509}</option>
                                            <option value="symmetricKey">{words.methods.symmetricKey}</option>
                                        </Select>
                                    </Field>
                                    {shownMethod === "x509"
                                        ? <Certificates registrationId={registrationId} enrollment={there} saved={again} />
                                        : <SymmetricKeys registrationId={registrationId} enrollment={there} saved={again} />}
                                </>
                            )}
                        </>
                    )}
                </div>
                {there && asking && asking !== "delete" && (
                    <ConfirmDialog<EnrollmentChange> title={asking === "disable" ? words.disableTitle : words.enableTitle} action={asking === "disable" ? words.disable : words.enable} danger={asking === "disable"}
                        close={() => setAsking(null)}
                        act={(said) => call("PATCH", path, { body: { enabled: asking === "enable", ...(said ? { reason: said } : {}) }, ifMatch: there.etag })}
                        preview={() => call<Preview>("PATCH", path, { query: { dryRun: true }, body: { enabled: asking === "enable" } })} previewKey={[registrationId, asking]}>
                        <p>{asking === "disable" ? words.disableLead : words.enableLead}</p>
                    </ConfirmDialog>
                )}
                {there && asking === "delete" && (
                    <ConfirmDialog<Deleted> title={words.deleteTitle} action={text.common.delete} danger close={() => setAsking(null)} done={() => { toast(words.deleted); setType(null); again(); }}
                        act={(said) => call("DELETE", path, { query: { reason: said }, ifMatch: there.etag })}
                        preview={() => call<Preview>("DELETE", path, { query: { dryRun: true } })} previewKey={registrationId}><p>{words.deleteLead}</p></ConfirmDialog>
                )}
            </DrawerBody>
            {there && (
                <DrawerFooter>
                    <Act needs="enrollment.write" onClick={() => setAsking(there.enabled ? "disable" : "enable")}>{there.enabled ? words.disable : words.enable}</Act>
                    <Act needs="enrollment.write" onClick={() => setAsking("delete")}>{words.deleteEnrollment}</Act>
                </DrawerFooter>
            )}
        </OverlayDrawer>
    );
}
