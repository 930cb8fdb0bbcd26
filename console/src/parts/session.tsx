// SPDX-License-Identifier: Apache-2.0
// Who is signed in and what that may. Without anybody: the sign-in page. When the session ends
// under a page: a dialog over it, and everything that was asked goes on afterwards.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { call, onSessionEnd, whoAsks, type Refused } from "../api/client.ts";
import type { WhoAsks } from "../api/schema.ts";
import { SignInDialog, SignInPage } from "./sign_in.tsx";
import { Frozen } from "./states.tsx";

type Session = {
    who: WhoAsks;
    /** Shown to people: the user's name, else how the audit log calls the caller. */
    name: string;
    can: (permission: string) => boolean;
    signOut: () => Promise<void>;
    refresh: () => void;
};

const Context = createContext<Session | null>(null);

export function useSession(): Session {
    const session = useContext(Context);
    if (!session) throw new Error("no session here");
    return session;
}

export const useCan = (permission: string): boolean => useSession().can(permission);

/** Focus goes where it was, or into what lies open on top: else that stays hidden from screen readers. */
function goBackTo(element: Element | null): void {
    const usable = (one: Element | null | undefined): one is HTMLElement =>
        one instanceof HTMLElement && one.isConnected && one !== document.body && !one.matches(":disabled");
    const open = [...document.querySelectorAll("[role=dialog], [role=alertdialog]")].at(-1);
    const within = usable(element) && (!open || open.contains(element)) ? element
        : open?.querySelector("button:not(:disabled), input:not(:disabled), select:not(:disabled), a[href]") ?? document.getElementById("main");
    if (usable(within)) within.focus();
}

export function SessionGate({ children }: { children: ReactNode }) {
    const client = useQueryClient();
    const session = useQuery<WhoAsks | null, Refused>({
        queryKey: ["who"],
        queryFn: whoAsks,
        staleTime: 5 * 60_000,
        retry: (_count, refused) => refused.passing,
    });
    const [ended, setEnded] = useState(false);
    const settle = useRef<(() => void) | null>(null);
    const left = useRef<Element | null>(null);
    const known = session.data ?? null;
    const caller = known?.caller ?? null;

    useEffect(() => {
        if (!caller) return undefined;
        onSessionEnd(
            () =>
                new Promise<void>((resolve) => {
                    settle.current = resolve;
                    left.current = document.activeElement;
                    setEnded(true);
                }),
        );
        return () => onSessionEnd(null);
    }, [caller]);

    const signedIn = useCallback(
        (who: WhoAsks) => {
            if (caller && who.caller !== caller) {
                // Somebody else: nothing of what the first one saw or typed may stay.
                window.location.reload();
                return;
            }
            client.setQueryData(["who"], who);
            setEnded(false);
            setTimeout(() => goBackTo(left.current), 100);
            settle.current?.();
            settle.current = null;
            void client.invalidateQueries();
        },
        [caller, client],
    );

    const value = useMemo<Session | null>(() => {
        if (!known) return null;
        const permissions = new Set(known.permissions);
        return {
            who: known,
            name: known.user?.name ?? known.caller,
            can: (permission) => permissions.has(permission),
            signOut: async () => {
                onSessionEnd(null);
                await call("DELETE", "/session").catch(() => undefined);
                window.location.assign("/ui/");
            },
            refresh: () => void client.invalidateQueries({ queryKey: ["who"] }),
        };
    }, [known, client]);

    if (session.isPending) return <Frozen />;
    if (session.isError && !known) return <Frozen refused={session.error} retry={() => void session.refetch()} />;
    if (!value) return <SignInPage signedIn={signedIn} />;
    return (
        <Context.Provider value={value}>
            {children}
            {ended && <SignInDialog name={value.who.user?.name ?? ""} kind={value.who.user?.kind ?? "local"} signedIn={signedIn} />}
        </Context.Provider>
    );
}
