// SPDX-License-Identifier: Apache-2.0
// Tokens of programs. The secret is shown once.
import { Field, Input, Radio, RadioGroup } from "@fluentui/react-components";
import { useState } from "react";
import { call, segment } from "../api/client.ts";
import { useChange, usePages } from "../api/hooks.ts";
import type { Deleted, Role, Token, TokenCreate, TokenCreated } from "../api/schema.ts";
import { AddIcon, KeyIcon } from "../icons.ts";
import { Act } from "../parts/act.tsx";
import { ConfirmDialog, FormDialog } from "../parts/confirm.tsx";
import { Page } from "../parts/page.tsx";
import { SecretDialog } from "../parts/secret.tsx";
import { EmptyState } from "../parts/states.tsx";
import { paged, VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { AccessTabs } from "./access_tabs.tsx";
import { RoleChoice } from "./role_choice.tsx";

const words = text.tokens;

function NewToken({ close, made }: { close: () => void; made: (token: TokenCreated) => void }) {
    const [name, setName] = useState("");
    const [role, setRole] = useState<Role>("viewer");
    const [form, setForm] = useState<"bearer" | "central">("bearer");
    const [expires, setExpires] = useState("");
    const create = useChange<TokenCreate, TokenCreated>((body) => call("POST", "/tokens", { body }), (token) => { made(token); close(); });
    return (
        <FormDialog wide title={words.addTitle} action={text.common.create} ready={name.trim() !== ""} busy={create.isPending} refused={create.error} close={close}
            submit={() => create.mutate({ name: name.trim(), role, form, ...(expires ? { expires: new Date(`${expires}T23:59:59`).toISOString() } : {}) })}>
            <Field label={text.common.name} hint={text.groups.nameHint.split(".")[0]} required><Input value={name} autoFocus maxLength={128} onChange={(_, data) => setName(data.value)} /></Field>
            <RoleChoice role={role} onChange={setRole} />
            <Field label={words.form}>
                <RadioGroup value={form} onChange={(_, data) => setForm(data.value as "bearer" | "central")}>
                    <Radio value="bearer" label={words.forms.bearer} />
                    <Radio value="central" label={words.forms.central} />
                </RadioGroup>
            </Field>
            <Field label={words.expires} hint={words.expiresHint}><Input type="date" value={expires} onChange={(_, data) => setExpires(data.value)} /></Field>
        </FormDialog>
    );
}

export default function Tokens() {
    const toast = useToast();
    const tokens = usePages<Token>("/tokens");
    const [adding, setAdding] = useState(false);
    const [made, setMade] = useState<TokenCreated | null>(null);
    const [revoking, setRevoking] = useState<Token | null>(null);
    const columns: Column<Token>[] = [
        { key: "name", name: words.columns.name, width: "minmax(120px, 1.4fr)", show: (token) => <span className="strong">{token.name}</span> },
        { key: "role", name: words.columns.role, width: "130px", show: (token) => text.access.roles[token.role] },
        { key: "form", name: words.columns.form, width: "minmax(140px, 1fr)", from: 860, show: (token) => words.forms[token.form] },
        { key: "created", name: words.columns.created, width: "130px", from: 980, show: (token) => <Time at={token.created} shape="date" /> },
        { key: "expires", name: words.columns.expires, width: "130px", from: 620, show: (token) => (token.expires ? <Time at={token.expires} shape="date" /> : <span className="quiet">{words.noEnd}</span>) },
        { key: "used", name: words.columns.used, width: "130px", from: 760, show: (token) => <Time at={token.lastUsed} shape="relative" /> },
        { key: "revoke", name: text.common.actions, width: "96px", show: (token) => <Act size="small" needs="token.write" onClick={() => setRevoking(token)}>{words.revoke}</Act> },
    ];
    const add = <Act appearance="primary" icon={<AddIcon />} needs="token.write" onClick={() => setAdding(true)}>{words.add}</Act>;
    return (
        <Page title={text.access.title} lead={words.lead} actions={add} fill>
            <AccessTabs />
            <VirtualTable label={text.access.tabs.tokens} rows={tokens.data?.items} columns={columns} id={(token) => token.name} {...paged(tokens)}
                empty={<EmptyState picture={<KeyIcon />} title={words.empty} actions={add}><p>{words.emptyHint}</p></EmptyState>} />
            {adding && <NewToken close={() => setAdding(false)} made={setMade} />}
            {made && <SecretDialog title={words.secret} lead={words.secretLead} secrets={[{ name: made.name, value: made.token }]} action={words.hidden} close={() => setMade(null)} />}
            {revoking && (
                <ConfirmDialog<Deleted> title={words.revokeTitle(revoking.name)} action={words.revoke} danger close={() => setRevoking(null)} done={() => toast(words.revoked)}
                    act={(reason) => call("DELETE", `/tokens/${segment(revoking.name)}`, { query: { reason } })}><p>{words.revokeLead}</p></ConfirmDialog>
            )}
        </Page>
    );
}
