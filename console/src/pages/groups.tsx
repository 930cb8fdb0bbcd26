// SPDX-License-Identifier: Apache-2.0
// The list of enrollment groups.
import { Field, Input, Radio, RadioGroup, Switch } from "@fluentui/react-components";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router-dom";
import { call, segment } from "../api/client.ts";
import { useChange, usePages } from "../api/hooks.ts";
import type { Group, GroupChange, GroupCreate, GroupSlot } from "../api/schema.ts";
import { AddIcon, ConnectIcon } from "../icons.ts";
import { Act } from "../parts/act.tsx";
import { commonName, ValidityPill } from "../parts/certificate.tsx";
import { FormDialog } from "../parts/confirm.tsx";
import { Page } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { Search } from "../parts/search.tsx";
import { EmptyState } from "../parts/states.tsx";
import { paged, VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { ConnectionTabs } from "./connection_tabs.tsx";

const words = text.groups;

function SlotCell({ slot }: { slot: GroupSlot }) {
    const held = slot.current ?? slot.pending;
    if (!held) return <span className="quiet">{words.slotEmpty}</span>;
    return (
        <span className="row nowrap">
            <span className="ellipsis">{held.certificate ? commonName(held.certificate) : text.certificate.none}</span>
            {!held.verified && <Pill tone="warn">{text.certificate.unverified}</Pill>}
            {held.certificate && <ValidityPill certificate={held.certificate} quietly />}
            {slot.current && slot.pending && <Pill tone="info">{words.pending}</Pill>}
        </span>
    );
}

const columns: Column<Group>[] = [
    { key: "name", name: words.columns.name, width: "minmax(120px, 1.2fr)", show: (group) => <Link className="row-link" to={`/ui/device-connection/groups/${segment(group.id)}`}>{group.id}</Link> },
    { key: "attestation", name: words.columns.attestation, width: "160px", from: 900, show: (group) => words.attestation[group.attestation] },
    { key: "status", name: words.columns.status, width: "104px", show: (group) => (group.enabled ? <Pill tone="good">{words.enabled}</Pill> : <Pill tone="bad">{words.disabled}</Pill>) },
    { key: "primary", name: words.columns.primary, width: "minmax(170px, 1.6fr)", from: 620, show: (group) => (group.attestation === "x509" ? <SlotCell slot={group.certificates.primary} /> : "–") },
    { key: "secondary", name: words.columns.secondary, width: "minmax(170px, 1.6fr)", from: 760, show: (group) => (group.attestation === "x509" ? <SlotCell slot={group.certificates.secondary} /> : "–") },
    { key: "updated", name: words.columns.updated, width: "120px", from: 1080, show: (group) => <Time at={group.updated} shape="relative" /> },
];

function CreateGroup({ close }: { close: () => void }) {
    const navigate = useNavigate();
    const toast = useToast();
    const [name, setName] = useState("");
    const [attestation, setAttestation] = useState<"x509" | "symmetricKey">("x509");
    const [autoApprove, setAutoApprove] = useState(true);
    const create = useChange<GroupCreate, GroupChange>((body) => call("POST", "/groups", { body }), (change) => {
        toast(words.created(change.group.id));
        navigate(`/ui/device-connection/groups/${segment(change.group.id)}`);
    });
    return (
        <FormDialog title={words.createTitle} action={text.common.create} ready={name.trim() !== ""} busy={create.isPending} refused={create.error} close={close}
            submit={() => create.mutate({ id: name.trim(), autoApprove, ...(attestation === "symmetricKey" ? { symmetricKey: {} } : {}) })}>
            <Field label={text.common.name} hint={words.nameHint} required><Input value={name} autoFocus maxLength={128} onChange={(_, data) => setName(data.value)} /></Field>
            <Field label={words.attestationLabel}>
                <RadioGroup value={attestation} onChange={(_, data) => setAttestation(data.value as "x509" | "symmetricKey")}>
                    <Radio value="x509" label={words.attestation.x509} />
                    <Radio value="symmetricKey" label={words.attestation.symmetricKey} />
                </RadioGroup>
            </Field>
            <Field hint={words.autoApproveHint}><Switch checked={autoApprove} label={words.autoApprove} onChange={(_, data) => setAutoApprove(data.checked)} /></Field>
        </FormDialog>
    );
}

export default function Groups() {
    const [params, setParams] = useSearchParams();
    const [creating, setCreating] = useState(false);
    const search = params.get("search") ?? "";
    const groups = usePages<Group>("/groups", { search });
    const create = <Act appearance="primary" icon={<AddIcon />} needs="group.write" onClick={() => setCreating(true)}>{words.create}</Act>;
    return (
        <Page title={text.connection.title} lead={text.connection.lead} actions={create} fill>
            <ConnectionTabs />
            <VirtualTable label={text.connection.groups} rows={groups.data?.items} columns={columns} id={(group) => group.id} {...paged(groups)}
                tools={<div className="tools"><Search value={search} label={words.search} onChange={(value) => setParams(value ? { search: value } : {}, { replace: true })} /></div>}
                empty={search
                    ? <EmptyState picture={<ConnectIcon />} title={text.table.nothing}><p>{text.table.nothingHint}</p></EmptyState>
                    : <EmptyState picture={<ConnectIcon />} title={words.empty} actions={create}><p>{words.emptyHint}</p></EmptyState>} />
            {creating && <CreateGroup close={() => setCreating(false)} />}
        </Page>
    );
}
