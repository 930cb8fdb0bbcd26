// SPDX-License-Identifier: Apache-2.0
// Shared access policies, for the cloud's service tools.
import { Button, Checkbox, Field, Input, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { useState } from "react";
import { call, segment } from "../api/client.ts";
import { useChange, usePages } from "../api/hooks.ts";
import type { Deleted, Policy, PolicyCreate, PolicyWithKeys, Slot } from "../api/schema.ts";
import { AddIcon, KeyIcon, MoreIcon } from "../icons.ts";
import { Act } from "../parts/act.tsx";
import { ConfirmDialog, FormDialog } from "../parts/confirm.tsx";
import { Page } from "../parts/page.tsx";
import { SecretDialog } from "../parts/secret.tsx";
import { useCan } from "../parts/session.tsx";
import { EmptyState } from "../parts/states.tsx";
import { paged, VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { AccessTabs } from "./access_tabs.tsx";

const words = text.policies;
type Right = Policy["rights"][number];
const rights: Right[] = ["ServiceConfig", "EnrollmentRead", "EnrollmentWrite", "RegistrationStatusRead", "RegistrationStatusWrite", "RegistryRead", "RegistryWrite"];

function NewPolicy({ close, made }: { close: () => void; made: (policy: PolicyWithKeys) => void }) {
    const [name, setName] = useState("");
    const [chosen, setChosen] = useState<Right[]>(["EnrollmentRead", "RegistrationStatusRead"]);
    const create = useChange<PolicyCreate, PolicyWithKeys>((body) => call("POST", "/policies", { body }), (policy) => { made(policy); close(); });
    return (
        <FormDialog title={words.addTitle} action={text.common.create} ready={name.trim() !== "" && chosen.length > 0} busy={create.isPending} refused={create.error} close={close}
            submit={() => create.mutate({ name: name.trim(), rights: chosen })}>
            <Field label={text.common.name} required><Input value={name} autoFocus onChange={(_, data) => setName(data.value)} /></Field>
            <div role="group" aria-label={words.rights} className="stack tight">
                <span className="strong">{words.rights}</span>
                {rights.map((right) => (
                    <Checkbox key={right} label={<span className="stack tight"><span>{right}</span><span className="say">{words.rightSays[right]}</span></span>} checked={chosen.includes(right)} onChange={(_, data) => setChosen(data.checked ? [...chosen, right] : chosen.filter((one) => one !== right))} />
                ))}
            </div>
        </FormDialog>
    );
}

const secretsOf = (policy: PolicyWithKeys) => [
    { name: words.primaryString, value: policy.primaryConnectionString },
    { name: words.secondaryString, value: policy.secondaryConnectionString },
    { name: text.slots.key.primary, value: policy.primaryKey },
    { name: text.slots.key.secondary, value: policy.secondaryKey },
];

export default function Policies() {
    const toast = useToast();
    const mayWrite = useCan("token.write");
    const policies = usePages<Policy>("/policies");
    const [adding, setAdding] = useState(false);
    const [shown, setShown] = useState<PolicyWithKeys | null>(null);
    const [asking, setAsking] = useState<{ policy: Policy; what: "show" | "revoke" | Slot } | null>(null);
    const columns: Column<Policy>[] = [
        { key: "name", name: words.columns.name, width: "minmax(150px, 1fr)", show: (policy) => <span className="strong">{policy.name}</span> },
        { key: "rights", name: words.columns.rights, width: "minmax(160px, 2fr)", from: 760, show: (policy) => <span title={policy.rights.join(", ")}>{policy.rights.join(", ")}</span> },
        { key: "created", name: words.columns.created, width: "120px", from: 1000, show: (policy) => <Time at={policy.created} shape="date" /> },
        { key: "actions", name: text.common.actions, width: "160px", show: (policy) => (
            <span className="row nowrap">
                <Act size="small" needs="token.show" onClick={() => setAsking({ policy, what: "show" })}>{words.show}</Act>
                {mayWrite && (
                    <Menu>
                        <MenuTrigger disableButtonEnhancement><Button size="small" appearance="subtle" icon={<MoreIcon />} aria-label={words.actionsOf(policy.name)} /></MenuTrigger>
                        <MenuPopover>
                            <MenuList>
                                <MenuItem onClick={() => setAsking({ policy, what: "primary" })}>{words.newKey.primary}</MenuItem>
                                <MenuItem onClick={() => setAsking({ policy, what: "secondary" })}>{words.newKey.secondary}</MenuItem>
                                <MenuItem onClick={() => setAsking({ policy, what: "revoke" })}>{words.revoke}</MenuItem>
                            </MenuList>
                        </MenuPopover>
                    </Menu>
                )}
            </span>
        ) },
    ];
    const name = asking?.policy.name ?? "";
    const add = <Act appearance="primary" icon={<AddIcon />} needs="token.write" onClick={() => setAdding(true)}>{words.add}</Act>;
    return (
        <Page title={text.access.title} lead={words.lead} actions={add} fill>
            <AccessTabs />
            <VirtualTable label={text.access.tabs.policies} rows={policies.data?.items} columns={columns} id={(policy) => policy.name} {...paged(policies)}
                empty={<EmptyState picture={<KeyIcon />} title={words.empty} actions={add}><p>{words.emptyHint}</p></EmptyState>} />
            {adding && <NewPolicy close={() => setAdding(false)} made={setShown} />}
            {shown && <SecretDialog title={words.keysTitle(shown.name)} secrets={secretsOf(shown)} action={text.common.close} close={() => setShown(null)} />}
            {asking?.what === "show" && (
                <ConfirmDialog<PolicyWithKeys> title={words.keysTitle(name)} action={words.show} close={() => setAsking(null)} done={setShown}
                    act={(reason) => call("POST", `/policies/${segment(name)}/show-keys`, { body: reason ? { reason } : {} })}><p>{text.group.keysShown}</p></ConfirmDialog>
            )}
            {(asking?.what === "primary" || asking?.what === "secondary") && (
                <ConfirmDialog<PolicyWithKeys> title={words.newKeyTitle[asking.what](name)} action={words.newKey[asking.what]} danger close={() => setAsking(null)} done={setShown}
                    act={(reason) => call("PUT", `/policies/${segment(name)}/keys/${asking.what}`, { body: reason ? { reason } : {} })}><p>{words.newKeyLead}</p></ConfirmDialog>
            )}
            {asking?.what === "revoke" && (
                <ConfirmDialog<Deleted> title={words.revokeTitle(name)} action={words.revoke} danger close={() => setAsking(null)} done={() => toast(words.revoked)}
                    act={(reason) => call("DELETE", `/policies/${segment(name)}`, { query: { reason } })}><p>{words.revokeLead}</p></ConfirmDialog>
            )}
        </Page>
    );
}
