// SPDX-License-Identifier: Apache-2.0
// One enrollment group: both slots, who rests on what, its settings.
import { Button, Field, Input, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger, Select, Switch, Textarea, Tooltip } from "@fluentui/react-components";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router-dom";
import { call, segment } from "../api/client.ts";
import { useChange, useOne } from "../api/hooks.ts";
import type { Deleted, Group, GroupAdoption, GroupCertificatesSet, GroupChange, GroupUpdate, Keys, Preview, Slot } from "../api/schema.ts";
import { EditIcon, KeyIcon, MoreIcon, ShowIcon, SwapIcon } from "../icons.ts";
import type { PickedFile } from "../lib/files.ts";
import { relative, standing } from "../lib/time.ts";
import { Act } from "../parts/act.tsx";
import { CertificateFacts, commonName, ValidityBar, ValidityPill, VerifiedPill } from "../parts/certificate.tsx";
import { Choices } from "../parts/choice.tsx";
import { ConfirmDialog, FormDialog } from "../parts/confirm.tsx";
import { CopyButton } from "../parts/copy.tsx";
import { FilePicker } from "../parts/file_picker.tsx";
import { Card, Facts, Page } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { useCan } from "../parts/session.tsx";
import { ErrorBar, Loading, Note } from "../parts/states.tsx";
import { Time, useNow } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { connectionCrumb } from "./connection_tabs.tsx";
import { KeyModes, type KeyMode } from "./key_modes.tsx";
import { otherSlot, Resting, restingOn, SlotPanel } from "./slot_panel.tsx";

const words = text.group;
const slots: Slot[] = ["primary", "secondary"];

function SlotCard({ group, slot, adoption }: { group: Group; slot: Slot; adoption: GroupAdoption | undefined }) {
    const navigate = useNavigate();
    const { current, pending } = group.certificates[slot];
    const shown = current ?? pending;
    const manage = (
        <Button appearance={shown ? "secondary" : "primary"} onClick={() => navigate(`/ui/device-connection/groups/${segment(group.id)}/${slot}`)}>{text.slots.manage[slot]}</Button>
    );
    return (
        <Card title={text.slots.title[slot]} aside={manage}>
            {!shown && (
                <div className="stack tight">
                    <div className="strong">{words.emptySlot[slot]}</div>
                    <p className="quiet">{group.certificates[otherSlot(slot)].current ? words.emptySlotHint : words.noneYet}</p>
                </div>
            )}
            {shown && !shown.certificate && <Note tone="warn">{text.certificate.dangling}</Note>}
            {shown?.certificate && (
                <div className="stack">
                    <div className="row">
                        <VerifiedPill verified={shown.verified} verification={shown.verification} />
                        <ValidityPill certificate={shown.certificate} quietly />
                        {!current && <Pill tone="info">{text.certificate.pending}</Pill>}
                    </div>
                    <h3 className="h3 wrap">{commonName(shown.certificate)}</h3>
                    <ValidityBar certificate={shown.certificate} />
                    <CertificateFacts certificate={shown.certificate} />
                    <Resting group={group.id} adoption={adoption} slot={slot} sha256={shown.certificate.sha256Thumbprint} />
                    {current && pending?.certificate && (
                        <Note tone="info" title={`${text.certificate.pending}: ${commonName(pending.certificate)}`}>
                            <span className="quiet">{text.panel.verifyLead}</span>
                        </Note>
                    )}
                </div>
            )}
        </Card>
    );
}

/** What somebody should do soon, and for whom. */
function Advice({ group, adoption }: { group: Group; adoption: GroupAdoption | undefined }) {
    const now = useNow();
    const navigate = useNavigate();
    return (
        <>
            {slots.map((slot) => {
                const held = group.certificates[slot].current?.certificate;
                if (!held) return null;
                const state = standing(held.notBefore, held.notAfter, now);
                if (state !== "soon" && state !== "expired") return null;
                const other = otherSlot(slot);
                const filled = Boolean(group.certificates[other].current ?? group.certificates[other].pending);
                const n = restingOn(adoption, slot, held.sha256Thumbprint)?.devices ?? 0;
                const when = relative(held.notAfter, now);
                const target = filled ? slot : other;
                if (filled && n === 0 && state === "soon") return null;
                return (
                    <Note key={slot} tone={state === "expired" && n > 0 ? "bad" : "warn"}
                        title={state === "soon" ? words.soon(text.slots.word[slot], when) : words.expired(text.slots.word[slot], when)}
                        actions={<Button size="small" appearance="primary" onClick={() => navigate(`/ui/device-connection/groups/${segment(group.id)}/${target}`)}>{text.slots.manage[target]}</Button>}>
                        {state === "expired" ? words.expiredHint(n, text.slots.word[other])
                            : filled ? words.soonFilled(text.slots.word[other], n) : words.soonOther(text.slots.word[other], n)}
                    </Note>
                );
            })}
        </>
    );
}

function Adoption({ group, adoption }: { group: string; adoption: GroupAdoption }) {
    const most = Math.max(1, ...adoption.certificates.map((one) => one.devices));
    const rows = adoption.certificates.filter((one) => one.devices > 0 || one.standing !== "gone");
    return (
        <Card title={words.whoRests} aside={<Link className="link" to={`/ui/devices?group=${segment(group)}`}>{words.showDevices}</Link>}>
            {adoption.devices === 0 ? <p className="quiet">{words.noDevices}</p> : (
                <div className="bars">
                    {rows.map((one) => (
                        <div className="bar-row" key={`${one.slot}${one.sha256Thumbprint}`}>
                            <div className="row spread">
                                <span className="row" style={{ minWidth: 0 }}>
                                    <span className="strong wrap">{one.certificate ? commonName(one.certificate) : <span className="mono">{one.sha256Thumbprint.slice(0, 16)}</span>}</span>
                                    <span className="quiet small">{text.slots.title[one.slot]}</span>
                                    {one.standing === "pending" && <Pill tone="info">{text.certificate.pending}</Pill>}
                                    {one.standing === "gone" && <Pill tone="warn">{words.gone}</Pill>}
                                </span>
                                <span className="tabular strong">{one.devices.toLocaleString("en")}</span>
                            </div>
                            <div className="track" aria-hidden><div className={`fill${one.standing === "gone" ? " gone" : ""}`} style={{ width: `${(one.devices / most) * 100}%`, minWidth: one.devices ? undefined : 0 }} /></div>
                        </div>
                    ))}
                </div>
            )}
        </Card>
    );
}

function SymmetricKeys({ group }: { group: Group }) {
    const [keys, setKeys] = useState<Keys | null>(null);
    const [device, setDevice] = useState("");
    const [renew, setRenew] = useState<Slot | null>(null);
    const [mode, setMode] = useState<KeyMode>("plain");
    const [derived, setDerived] = useState<Keys | null>(null);
    const show = useChange<void, Keys>(() => call("POST", `/groups/${segment(group.id)}/show-keys`, { body: {} }), setKeys);
    const derive = useChange<string, Keys>((registrationId) => call("POST", `/groups/${segment(group.id)}/derive-keys`, { body: { registrationId } }), setDerived);
    return (
        <div className="cards">
            <Card title={words.keys} aside={keys
                ? <Button onClick={() => setKeys(null)}>{words.hideKeys}</Button>
                : <Act needs="group-key.show" icon={<ShowIcon />} disabled={show.isPending} onClick={() => show.mutate()}>{words.showKeys}</Act>}>
                <div className="stack">
                    <ErrorBar refused={show.error} />
                    {slots.map((slot) => (
                        <div key={slot} className="stack tight">
                            <div className="row spread">
                                <span className="strong">{text.slots.title[slot]}</span>
                                <Act size="small" needs="group.write" onClick={() => { setMode("plain"); setRenew(slot); }}>{words.newKey[slot]}</Act>
                            </div>
                            <div className="quiet small mono wrap">{words.keyId(group.keyIds?.[slot].slice(0, 16) ?? "")}</div>
                            {keys && <div className="command"><code className="grow wrap">{slot === "primary" ? keys.primaryKey : keys.secondaryKey}</code><CopyButton value={slot === "primary" ? keys.primaryKey : keys.secondaryKey} what={text.slots.title[slot]} /></div>}
                        </div>
                    ))}
                    {keys && <p className="quiet small">{words.keysShown}</p>}
                </div>
            </Card>
            <Card title={words.derive}>
                <form className="stack" onSubmit={(event) => { event.preventDefault(); derive.mutate(device.trim()); }}>
                    <p className="quiet">{words.deriveLead}</p>
                    <Field label={words.registrationId}><Input value={device} onChange={(_, data) => setDevice(data.value)} /></Field>
                    <ErrorBar refused={derive.error} />
                    {derived && slots.map((slot) => {
                        const value = slot === "primary" ? derived.primaryKey : derived.secondaryKey;
                        return <div key={slot} className="stack tight"><span className="small strong">{text.slots.title[slot]}</span><div className="command"><code className="grow wrap">{value}</code><CopyButton value={value} what={text.slots.title[slot]} /></div></div>;
                    })}
                    <div className="row"><Act needs="group-key.show" icon={<KeyIcon />} type="submit" disabled={!device.trim() || derive.isPending}>{words.deriveAction}</Act></div>
                </form>
            </Card>
            {renew && (
                <ConfirmDialog<GroupChange> title={words.newKey[renew]} action={text.common.create} danger={mode !== "plain"} close={() => setRenew(null)}
                    act={(reason) => call("PUT", `/groups/${segment(group.id)}/keys/${renew}`, { body: { mode, ...(reason ? { reason } : {}) }, ifMatch: group.etag })}
                    preview={() => call<Preview>("PUT", `/groups/${segment(group.id)}/keys/${renew}`, { query: { dryRun: true }, body: { mode } })} previewKey={[group.id, renew, mode]}>
                    <p>{words.newKeyLead}</p>
                    <KeyModes mode={mode} onChange={setMode} />
                </ConfirmDialog>
            )}
        </div>
    );
}

function ReplaceBoth({ group, close }: { group: Group; close: () => void }) {
    const toast = useToast();
    const [files, setFiles] = useState<Record<Slot, PickedFile | null>>({ primary: null, secondary: null });
    const [mode, setMode] = useState<GroupCertificatesSet["mode"]>("replaceNow");
    const [vouch, setVouch] = useState(false);
    const { primary, secondary } = files;
    const body = (): GroupCertificatesSet => ({ primary: primary?.content ?? "", secondary: secondary?.content ?? "", mode, vouch });
    const path = `/groups/${segment(group.id)}/certificates`;
    const rests = slots.flatMap((slot) => { const held = group.certificates[slot].current?.certificate; return held ? [{ group: group.id, ca: held.sha256Thumbprint }] : []; });
    return (
        <ConfirmDialog<GroupChange> title={words.both} action={text.common.save} danger={mode === "breach"} wide blocked={!primary || !secondary} close={close} done={() => toast(text.panel.saved)}
            act={(reason) => call("PUT", path, { body: { ...body(), ...(reason ? { reason } : {}) }, ifMatch: group.etag })}
            {...(primary && secondary ? { preview: () => call<Preview>("PUT", path, { query: { dryRun: true }, body: body() }) } : {})}
            previewKey={[group.id, primary?.content, secondary?.content, mode, vouch]} rests={rests}>
            <p className="quiet">{text.panel.bothLead}</p>
            {slots.map((slot) => <FilePicker key={slot} slim label={text.slots.file[slot]} file={files[slot]} onPick={(file) => setFiles({ ...files, [slot]: file })} />)}
            <Choices label={words.both} value={mode} onChange={setMode}
                choices={(["replaceNow", "breach"] as const).map((one) => ({ value: one, title: text.panel.bothModes[one], says: text.panel.modeSays[one], danger: one === "breach" }))} />
            <Field hint={vouch ? text.panel.vouchOn : text.panel.vouchOff}><Switch checked={vouch} label={text.panel.vouch} onChange={(_, data) => setVouch(data.checked)} /></Field>
        </ConfirmDialog>
    );
}

function EditSettings({ group, close }: { group: Group; close: () => void }) {
    const toast = useToast();
    const [autoApprove, setAutoApprove] = useState(group.autoApprove);
    const [refuseOlderLeaf, setRefuseOlderLeaf] = useState(group.refuseOlderLeaf);
    const [updateHub, setUpdateHub] = useState(group.reprovisionPolicy.updateHubAssignment ?? true);
    const [migrate, setMigrate] = useState(group.reprovisionPolicy.migrateDeviceData ?? true);
    const [policy, setPolicy] = useState<string>(group.allocationPolicy ?? "");
    const [twin, setTwin] = useState(group.initialTwin ? JSON.stringify(group.initialTwin, null, 2) : "");
    let parsed: Record<string, unknown> | null | undefined = null;
    if (twin.trim()) {
        try {
            parsed = JSON.parse(twin) as Record<string, unknown>;
        } catch {
            parsed = undefined;
        }
    }
    const save = useChange<GroupUpdate, GroupChange>((body) => call("PATCH", `/groups/${segment(group.id)}`, { body, ifMatch: group.etag }), () => { toast(words.saved); close(); });
    return (
        <FormDialog title={words.editSettings} action={text.common.save} ready={parsed !== undefined} busy={save.isPending} refused={save.error} close={close}
            submit={() => save.mutate({
                autoApprove, refuseOlderLeaf, reprovisionPolicy: { updateHubAssignment: updateHub, migrateDeviceData: migrate },
                ...(policy !== (group.allocationPolicy ?? "") ? { allocationPolicy: (policy || null) as GroupUpdate["allocationPolicy"] } : {}),
                ...(JSON.stringify(parsed) !== JSON.stringify(group.initialTwin) ? { initialTwin: parsed ?? null } : {}),
            })}>
            <Field hint={text.groups.autoApproveHint}><Switch checked={autoApprove} label={words.autoApprove} onChange={(_, data) => setAutoApprove(data.checked)} /></Field>
            <Field hint={words.refuseOlderHint}><Switch checked={refuseOlderLeaf} label={words.refuseOlder} onChange={(_, data) => setRefuseOlderLeaf(data.checked)} /></Field>
            <Field label={words.reprovision}>
                <div className="stack tight">
                    <Switch checked={updateHub} label={words.updateHub} onChange={(_, data) => setUpdateHub(data.checked)} />
                    <Switch checked={migrate} label={words.migrate} onChange={(_, data) => setMigrate(data.checked)} />
                </div>
            </Field>
            <Field label={words.allocation}>
                <Select value={policy} onChange={(_, data) => setPolicy(data.value)}>
                    <option value="">{words.allocationDefault}</option>
                    {(["hashed", "geoLatency", "static"] as const).map((one) => <option key={one} value={one}>{text.allocation[one]}</option>)}
                    {group.allocationPolicy === "custom" && <option value="custom">{text.allocation.custom}</option>}
                </Select>
            </Field>
            <Field label={words.initialTwin} hint={words.initialTwinHint} validationState={parsed === undefined ? "error" : "none"} validationMessage={parsed === undefined ? words.badJson : undefined}>
                <Textarea value={twin} rows={6} textarea={{ className: "mono" }} onChange={(_, data) => setTwin(data.value)} />
            </Field>
        </FormDialog>
    );
}

type Asking = "swap" | "disable" | "enable" | "delete" | "both" | "edit" | null;

export default function GroupPage() {
    const { group: name = "", "*": rest = "" } = useParams();
    const navigate = useNavigate();
    const toast = useToast();
    const mayWrite = useCan("group.write");
    const at = `/groups/${segment(name)}`;
    const group = useOne<Group>(at, { pem: true });
    const adoption = useOne<GroupAdoption>(`${at}/adoption`, {}, { every: 15_000 });
    const [asking, setAsking] = useState<Asking>(null);
    const slot = rest === "primary" || rest === "secondary" ? rest : null;
    const close = () => setAsking(null);
    const data = group.data;
    const x509 = data?.attestation === "x509";
    return (
        <Page title={name} crumbs={[connectionCrumb, { name: text.connection.groups, to: "/ui/device-connection/groups" }]}
            pills={data && (
                <>
                    {data.enabled ? <Pill tone="good">{text.groups.enabled}</Pill> : <Pill tone="bad">{text.groups.disabled}</Pill>}
                    <Pill>{text.groups.attestation[data.attestation]}</Pill>
                </>
            )}
            actions={data && (
                <>
                    {x509 && <Act needs="group.write" icon={<SwapIcon />} onClick={() => setAsking("swap")}>{words.swap}</Act>}
                    <Menu>
                        <MenuTrigger disableButtonEnhancement><Tooltip content={text.common.more} relationship="label"><Button icon={<MoreIcon />} /></Tooltip></MenuTrigger>
                        <MenuPopover>
                            <MenuList>
                                {x509 && <MenuItem disabled={!mayWrite} onClick={() => setAsking("both")}>{words.both}</MenuItem>}
                                <MenuItem disabled={!mayWrite} onClick={() => setAsking("edit")}>{words.editSettings}</MenuItem>
                                <MenuItem disabled={!mayWrite} onClick={() => setAsking(data.enabled ? "disable" : "enable")}>{data.enabled ? words.disable : words.enable}</MenuItem>
                                <MenuItem disabled={!mayWrite} onClick={() => setAsking("delete")}>{text.common.delete}</MenuItem>
                            </MenuList>
                        </MenuPopover>
                    </Menu>
                </>
            )}>
            <ErrorBar refused={group.error} retry={() => void group.refetch()} />
            {group.isPending && <div className="cards"><div className="card"><Loading /></div><div className="card"><Loading /></div></div>}
            {data && (
                <>
                    {x509 && <Advice group={data} adoption={adoption.data} />}
                    {x509 ? <div className="cards even">{slots.map((one) => <SlotCard key={one} group={data} slot={one} adoption={adoption.data} />)}</div> : <SymmetricKeys group={data} />}
                    <div className="cards">
                        {adoption.data && <Adoption group={data.id} adoption={adoption.data} />}
                        <Card title={words.settings} aside={<Act size="small" needs="group.write" icon={<EditIcon />} onClick={() => setAsking("edit")}>{text.common.edit}</Act>}>
                            <Facts facts={[
                                [words.autoApprove, data.autoApprove ? text.common.on : text.common.off],
                                [words.refuseOlder, data.refuseOlderLeaf ? text.common.on : text.common.off],
                                [words.updateHub, data.reprovisionPolicy.updateHubAssignment === false ? text.common.no : text.common.yes],
                                [words.migrate, data.reprovisionPolicy.migrateDeviceData === false ? text.common.no : text.common.yes],
                                [words.allocation, data.allocationPolicy ? text.allocation[data.allocationPolicy] : words.allocationDefault],
                                [words.hubs, data.iotHubs.length ? data.iotHubs.join(", ") : words.allHubs],
                                data.initialTwin && [words.initialTwin, <pre className="json">{JSON.stringify(data.initialTwin, null, 2)}</pre>],
                                [words.created, <Time at={data.created} />],
                                [words.changed, <Time at={data.updated} />],
                            ]} />
                        </Card>
                    </div>
                </>
            )}
            {slot && x509 && <SlotPanel group={name} slot={slot} />}
            {data && asking === "swap" && (
                <ConfirmDialog<GroupChange> title={words.swapTitle} action={words.swap} close={close} done={() => toast(words.swapped)}
                    act={(reason) => call("POST", `${at}/swap`, { body: reason ? { reason } : {}, ifMatch: data.etag })}><p>{words.swapLead}</p></ConfirmDialog>
            )}
            {data && (asking === "disable" || asking === "enable") && (
                <ConfirmDialog<GroupChange> title={asking === "disable" ? words.disableTitle(name) : words.enableTitle(name)} action={asking === "disable" ? words.disable : words.enable}
                    danger={asking === "disable"} close={close}
                    act={(reason) => call("PATCH", at, { body: { enabled: asking === "enable", ...(reason ? { reason } : {}) }, ifMatch: data.etag })}
                    preview={() => call<Preview>("PATCH", at, { query: { dryRun: true }, body: { enabled: asking === "enable" } })} previewKey={[name, asking]} rests={[{ group: name }]}>
                    <p>{asking === "disable" ? words.disableLead : words.enableLead}</p>
                </ConfirmDialog>
            )}
            {data && asking === "delete" && (
                <ConfirmDialog<Deleted> title={words.deleteTitle(name)} action={text.common.delete} danger close={close} gone={at}
                    done={() => { toast(words.deleted(name)); navigate("/ui/device-connection/groups"); }}
                    act={(reason) => call("DELETE", at, { query: { reason }, ifMatch: data.etag })}
                    preview={() => call<Preview>("DELETE", at, { query: { dryRun: true } })} previewKey={name} rests={[{ group: name }]}>
                    <p>{words.deleteLead}</p>
                </ConfirmDialog>
            )}
            {data && asking === "both" && <ReplaceBoth group={data} close={close} />}
            {data && asking === "edit" && <EditSettings group={data} close={close} />}
        </Page>
    );
}
