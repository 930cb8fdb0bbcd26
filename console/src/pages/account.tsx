// SPDX-License-Identifier: Apache-2.0
// Oneself: where one is signed in, one's password, what one may.
import { Field, Input } from "@fluentui/react-components";
import { useState, type FormEvent } from "react";
import { call, keepCsrf } from "../api/client.ts";
import { useChange, useOne } from "../api/hooks.ts";
import type { Deleted, OwnPassword, SessionList, WhoAsks } from "../api/schema.ts";
import { SignOutIcon } from "../icons.ts";
import { Act } from "../parts/act.tsx";
import { ConfirmDialog } from "../parts/confirm.tsx";
import { Card, Facts, Page } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { useSession } from "../parts/session.tsx";
import { ErrorBar, Loading } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { AccessTabs } from "./access_tabs.tsx";

const words = text.account;

function ChangePassword() {
    const toast = useToast();
    const [current, setCurrent] = useState("");
    const [password, setPassword] = useState("");
    const [again, setAgain] = useState("");
    const change = useChange<OwnPassword, WhoAsks>((body) => call("PUT", "/session/password", { body }), (who) => {
        keepCsrf(who.csrf);
        setCurrent("");
        setPassword("");
        setAgain("");
        toast(words.passwordChanged);
    });
    const differs = again !== "" && again !== password;
    const short = password !== "" && password.length < 12;
    const submit = (event: FormEvent) => {
        event.preventDefault();
        change.mutate({ current, password });
    };
    return (
        <Card title={words.password}>
            <form className="stack" onSubmit={submit}>
                <Field label={words.passwordCurrent} required><Input type="password" autoComplete="current-password" value={current} onChange={(_, data) => setCurrent(data.value)} /></Field>
                <Field label={words.passwordNew} required validationState={short ? "warning" : "none"} validationMessage={short ? words.passwordShort : undefined}>
                    <Input type="password" autoComplete="new-password" value={password} onChange={(_, data) => setPassword(data.value)} />
                </Field>
                <Field label={words.passwordAgain} required validationState={differs ? "error" : "none"} validationMessage={differs ? words.passwordDiffers : undefined}>
                    <Input type="password" autoComplete="new-password" value={again} onChange={(_, data) => setAgain(data.value)} />
                </Field>
                <ErrorBar refused={change.error} />
                <div className="row"><Act needs="session.write" appearance="primary" type="submit" disabled={!current || password.length < 12 || again !== password || change.isPending}>{words.passwordChange}</Act></div>
            </form>
        </Card>
    );
}

function browser(agent: string): string {
    const found = /(Firefox|Edg|Chrome|Safari)\/([\d]+)/.exec(agent.replace(/Chrome\/\S+ Safari\/\S+ Edg/, "Edg"));
    const system = /\(([^;)]+)/.exec(agent)?.[1];
    return found ? `${found[1] === "Edg" ? "Edge" : found[1]} ${found[2]}${system ? `, ${system}` : ""}` : agent;
}

export default function Account() {
    const { who, name, signOut } = useSession();
    const sessions = useOne<SessionList>("/sessions", {}, { every: 60_000 });
    const [ending, setEnding] = useState(false);
    return (
        <Page title={text.access.title} lead={text.access.lead}>
            <AccessTabs />
            <div className="cards">
                <div className="stack wide">
                    <Card title={name}>
                        <Facts facts={[
                            [words.caller, <span className="mono">{who.caller}</span>],
                            [words.role, who.role ? text.access.roles[who.role] : "–"],
                            [words.permissions, (
                                <details>
                                    <summary>{words.permissionCount(who.permissions.length)}</summary>
                                    <ul className="plain stack" style={{ gap: 6, marginTop: 8 }}>
                                        {who.permissions.map((one) => <li key={one}><span className="mono">{one}</span> <span className="quiet small">{text.access.permissionSays[one]}</span></li>)}
                                    </ul>
                                </details>
                            )],
                        ]} />
                    </Card>
                    {who.user?.kind === "local" && <ChangePassword />}
                    {who.user?.kind === "openid" && <Card title={words.password}><p className="quiet">{words.openId}</p></Card>}
                </div>
                <Card title={words.sessions} aside={who.session && (
                    <span className="row">
                        <Act size="small" needs="session.write" icon={<SignOutIcon />} onClick={() => void signOut()}>{words.here}</Act>
                        <Act size="small" needs="session.write" onClick={() => setEnding(true)}>{words.everywhere}</Act>
                    </span>
                )}>
                    <ErrorBar refused={sessions.error} retry={() => void sessions.refetch()} />
                    {sessions.isPending && <Loading />}
                    {!who.session && <p className="quiet">{words.notASession}</p>}
                    <div className="list">
                        {sessions.data?.items.map((session) => (
                            <div className="item" key={session.id}>
                                <div className="grow stack tight">
                                    <span className="row"><span className="strong">{browser(session.userAgent)}</span>{session.current && <Pill tone="info">{words.session.current}</Pill>}</span>
                                    <span className="quiet small"><span className="mono">{session.source}</span>, {words.session.since} <Time at={session.created} />, {words.session.used} <Time at={session.used} shape="relative" /></span>
                                </div>
                            </div>
                        ))}
                    </div>
                </Card>
            </div>
            {ending && (
                <ConfirmDialog<Deleted> title={words.everywhereTitle} action={words.everywhere} danger reason={false} close={() => setEnding(false)}
                    act={() => call("DELETE", "/sessions")} done={() => window.location.assign("/ui/")}><p>{words.everywhereLead}</p></ConfirmDialog>
            )}
        </Page>
    );
}
