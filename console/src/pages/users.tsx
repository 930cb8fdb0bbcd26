// SPDX-License-Identifier: Apache-2.0
// People who may sign in.
import { Button, Field, Input, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger, Radio, RadioGroup } from "@fluentui/react-components";
import { useState } from "react";
import { call, segment } from "../api/client.ts";
import { useChange, usePages } from "../api/hooks.ts";
import type { Deleted, Role, User, UserCreate, UserUpdate } from "../api/schema.ts";
import { AddIcon, MoreIcon, PeopleIcon } from "../icons.ts";
import { Act } from "../parts/act.tsx";
import { ConfirmDialog, FormDialog } from "../parts/confirm.tsx";
import { Page } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { useSession } from "../parts/session.tsx";
import { EmptyState } from "../parts/states.tsx";
import { paged, VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { AccessTabs } from "./access_tabs.tsx";
import { RoleChoice } from "./role_choice.tsx";

const words = text.users;
const shortest = 12;

function NewUser({ close }: { close: () => void }) {
    const toast = useToast();
    const [kind, setKind] = useState<"local" | "openid">("local");
    const [name, setName] = useState("");
    const [password, setPassword] = useState("");
    const [role, setRole] = useState<Role>("operator");
    const create = useChange<UserCreate, User>((body) => call("POST", "/users", { body }), (user) => { toast(words.created(user.name)); close(); });
    return (
        <FormDialog wide title={words.addTitle} action={text.common.create} busy={create.isPending} refused={create.error} close={close}
            ready={name.trim() !== "" && (kind === "openid" || password.length >= shortest)}
            submit={() => create.mutate({ name: name.trim(), kind, role, ...(kind === "local" ? { password } : {}) })}>
            <Field label={words.kind}>
                <RadioGroup value={kind} layout="horizontal" onChange={(_, data) => setKind(data.value as "local" | "openid")}>
                    <Radio value="local" label={words.kinds.local} />
                    <Radio value="openid" label={words.kinds.openid} />
                </RadioGroup>
            </Field>
            <Field label={kind === "openid" ? words.email : words.name} hint={kind === "openid" ? undefined : words.nameHint} required>
                <Input value={name} autoFocus autoComplete="off" onChange={(_, data) => setName(data.value)} />
            </Field>
            {kind === "local" && (
                <Field label={words.password} hint={words.passwordHint} required><Input type="password" autoComplete="new-password" value={password} onChange={(_, data) => setPassword(data.value)} /></Field>
            )}
            <RoleChoice role={role} onChange={setRole} />
        </FormDialog>
    );
}

function EditRole({ user, close }: { user: User; close: () => void }) {
    const toast = useToast();
    const [role, setRole] = useState(user.role);
    const save = useChange<UserUpdate, User>((body) => call("PATCH", `/users/${segment(user.name)}`, { body }), () => { toast(words.saved); close(); });
    return (
        <FormDialog wide title={words.editTitle(user.name)} action={text.common.save} ready={role !== user.role} busy={save.isPending} refused={save.error} close={close} submit={() => save.mutate({ role })}>
            <RoleChoice role={role} onChange={setRole} />
        </FormDialog>
    );
}

function SetPassword({ user, close }: { user: User; close: () => void }) {
    const toast = useToast();
    const [password, setPassword] = useState("");
    const save = useChange<UserUpdate, User>((body) => call("PATCH", `/users/${segment(user.name)}`, { body }), () => { toast(words.saved); close(); });
    return (
        <FormDialog title={words.passwordTitle(user.name)} action={text.common.save} ready={password.length >= shortest} busy={save.isPending} refused={save.error} close={close} submit={() => save.mutate({ password })}>
            <p className="quiet">{words.passwordLead}</p>
            <Field label={words.password} hint={words.passwordHint} required><Input type="password" autoComplete="new-password" value={password} onChange={(_, data) => setPassword(data.value)} /></Field>
        </FormDialog>
    );
}

type Asking = { user: User; what: "role" | "password" | "keepOut" | "letIn" | "sessions" | "delete" } | null;

export default function Users() {
    const { can, who } = useSession();
    const mayWrite = can("user.write");
    const users = usePages<User>("/users");
    const [adding, setAdding] = useState(false);
    const [asking, setAsking] = useState<Asking>(null);
    const close = () => setAsking(null);
    const columns: Column<User>[] = [
        { key: "name", name: words.columns.name, width: "minmax(130px, 1.4fr)", show: (user) => <span className="row nowrap"><span className="strong ellipsis">{user.name}</span>{user.id === who.user?.id && <Pill>{text.access.you}</Pill>}</span> },
        { key: "role", name: words.columns.role, width: "minmax(128px, 1fr)", show: (user) => <span className="row nowrap">{text.access.roles[user.role]}{user.roleByClaim && <Pill>{words.byClaim}</Pill>}</span> },
        { key: "kind", name: words.columns.kind, width: "minmax(130px, 1fr)", from: 700, show: (user) => words.kinds[user.kind] },
        { key: "status", name: words.columns.status, width: "132px", from: 460, show: (user) => (user.enabled ? <Pill tone="good">{words.enabled}</Pill> : <Pill tone="bad">{words.disabled}</Pill>) },
        { key: "created", name: words.columns.created, width: "140px", from: 900, show: (user) => <Time at={user.created} shape="date" /> },
        { key: "actions", name: text.common.actions, width: "80px", show: (user) => (
            !mayWrite ? <Act needs="user.write" size="small" appearance="subtle" icon={<MoreIcon />} aria-label={words.actionsOf(user.name)}>{null}</Act> : <Menu>
                <MenuTrigger disableButtonEnhancement><Button size="small" appearance="subtle" icon={<MoreIcon />} aria-label={words.actionsOf(user.name)} /></MenuTrigger>
                <MenuPopover>
                    <MenuList>
                        <MenuItem onClick={() => setAsking({ user, what: "role" })}>{words.edit}</MenuItem>
                        {user.kind === "local" && <MenuItem onClick={() => setAsking({ user, what: "password" })}>{words.password2}</MenuItem>}
                        <MenuItem onClick={() => setAsking({ user, what: user.enabled ? "keepOut" : "letIn" })}>{user.enabled ? words.keepOut : words.letIn}</MenuItem>
                        <MenuItem onClick={() => setAsking({ user, what: "sessions" })}>{words.endSessions}</MenuItem>
                        <MenuItem onClick={() => setAsking({ user, what: "delete" })}>{words.delete}</MenuItem>
                    </MenuList>
                </MenuPopover>
            </Menu>
        ) },
    ];
    const path = asking ? `/users/${segment(asking.user.name)}` : "";
    const name = asking?.user.name ?? "";
    const add = <Act appearance="primary" icon={<AddIcon />} needs="user.write" onClick={() => setAdding(true)}>{words.add}</Act>;
    return (
        <Page title={text.access.title} lead={text.access.lead} actions={add} fill>
            <AccessTabs />
            <VirtualTable label={text.access.tabs.users} rows={users.data?.items} columns={columns} id={(user) => user.name} {...paged(users)}
                empty={<EmptyState picture={<PeopleIcon />} title={words.empty} actions={add}><p>{words.emptyHint}</p></EmptyState>} />
            {adding && <NewUser close={() => setAdding(false)} />}
            {asking?.what === "role" && <EditRole user={asking.user} close={close} />}
            {asking?.what === "password" && <SetPassword user={asking.user} close={close} />}
            {(asking?.what === "keepOut" || asking?.what === "letIn") && (
                <ConfirmDialog<User> title={asking.what === "keepOut" ? words.keepOutTitle(name) : words.letInTitle(name)} action={asking.what === "keepOut" ? words.keepOut : words.letIn} danger={asking.what === "keepOut"} close={close}
                    act={(reason) => call("PATCH", path, { body: { enabled: asking.what === "letIn", ...(reason ? { reason } : {}) } })}>
                    {asking.what === "keepOut" && <p>{words.keepOutLead}</p>}
                </ConfirmDialog>
            )}
            {asking?.what === "sessions" && (
                <ConfirmDialog<Deleted> title={words.endSessionsTitle(name)} action={words.endSessions} danger close={close} act={(reason) => call("DELETE", `${path}/sessions`, { query: { reason } })}><p>{words.endSessionsLead}</p></ConfirmDialog>
            )}
            {asking?.what === "delete" && (
                <ConfirmDialog<Deleted> title={words.deleteTitle(name)} action={words.delete} danger close={close} act={(reason) => call("DELETE", path, { query: { reason } })}><p>{words.deleteLead}</p></ConfirmDialog>
            )}
        </Page>
    );
}
