// SPDX-License-Identifier: Apache-2.0
// Signing in: as a page where nobody is, as a dialog over the page where a session ended.
import { Button, Dialog, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Spinner } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { get, Refused, signIn } from "../api/client.ts";
import type { SignInMethods, WhoAsks } from "../api/schema.ts";
import icon from "../icon.svg";
import { text } from "../text.ts";
import { Note } from "./states.tsx";

type SignedIn = (who: WhoAsks) => void;

/** What the server offers; a server that does not tell offers passwords. */
function useMethods() {
    return useQuery<SignInMethods, Refused>({
        queryKey: ["sign-in-methods"],
        queryFn: ({ signal }) => get<SignInMethods>("/sign-in-methods", undefined, signal),
        staleTime: Infinity,
        retry: false,
    });
}

function SignInForm({ name: known, signedIn }: { name?: string; signedIn: SignedIn }) {
    const methods = useMethods();
    const [name, setName] = useState(known ?? "");
    const [password, setPassword] = useState("");
    const [refused, setRefused] = useState<Refused | null>(null);
    const [busy, setBusy] = useState(false);
    const secret = useRef<HTMLInputElement>(null);
    useEffect(() => {
        // The dialog puts the focus on its first field; who is known types the password.
        if (!known) return undefined;
        const timer = setTimeout(() => secret.current?.focus(), 80);
        return () => clearTimeout(timer);
    }, [known]);
    const openId = methods.data?.openId ?? null;
    const withPassword = methods.data?.password ?? true;

    const submit = async (event: FormEvent) => {
        event.preventDefault();
        setBusy(true);
        setRefused(null);
        try {
            signedIn(await signIn(name.trim(), password));
        } catch (error) {
            setRefused(error as Refused);
            setPassword("");
        } finally {
            setBusy(false);
        }
    };
    const back = `${window.location.pathname}${window.location.search}`;
    const at = back.startsWith("/ui/") ? back : "/ui/";

    return (
        <div className="stack wide">
            {withPassword && (
                <form className="stack" onSubmit={(event) => void submit(event)}>
                    {refused && (
                        <Note tone="bad" live>
                            {refused.status === 401
                                ? text.signIn.wrong
                                : refused.status === 429
                                    ? text.signIn.wait(Math.max(1, refused.retryAfter))
                                    : refused.detail}
                        </Note>
                    )}
                    <Field label={text.signIn.name} required>
                        <Input name="name" autoComplete="username" value={name} autoFocus={!known} onChange={(_, data) => setName(data.value)} />
                    </Field>
                    <Field label={text.signIn.password} required>
                        <Input name="password" type="password" autoComplete="current-password" value={password} ref={secret}
                            onChange={(_, data) => setPassword(data.value)} />
                    </Field>
                    <Button appearance="primary" type="submit" size="large" disabled={busy || !name || !password} icon={busy ? <Spinner size="tiny" /> : undefined}>
                        {text.signIn.submit}
                    </Button>
                </form>
            )}
            {openId && (
                <>
                    {withPassword && <div className="divider">{text.signIn.or}</div>}
                    <Button size="large" as="a" href={`${openId.start}?return=${encodeURIComponent(at)}`}>
                        {text.signIn.openId}
                    </Button>
                </>
            )}
        </div>
    );
}

export function SignInPage({ signedIn }: { signedIn: SignedIn }) {
    useEffect(() => {
        document.title = `${text.signIn.title} · ${text.product}`;
    }, []);
    return (
        <main className="gate">
            <div className="gate-card stack wide">
                <div className="row nowrap">
                    <img src={icon} alt="" width="44" height="44" />
                    <div>
                        <h1 className="h2" style={{ fontSize: 22, lineHeight: "28px" }}>{text.signIn.title}</h1>
                        <div className="quiet">{text.signIn.lead}</div>
                    </div>
                </div>
                <SignInForm signedIn={signedIn} />
                <p className="quiet small">{text.signIn.help}</p>
            </div>
        </main>
    );
}

export function SignInDialog({ name, kind, signedIn }: { name: string; kind: string; signedIn: SignedIn }) {
    return (
        <Dialog open modalType="alert">
            <DialogSurface style={{ maxWidth: 440 }}>
                <DialogBody>
                    <DialogTitle>{text.signIn.ended}</DialogTitle>
                    <DialogContent>
                        <div className="stack">
                            <p className="quiet">{text.signIn.endedLead}</p>
                            <SignInForm name={kind === "local" ? name : ""} signedIn={signedIn} />
                        </div>
                    </DialogContent>
                </DialogBody>
            </DialogSurface>
        </Dialog>
    );
}
