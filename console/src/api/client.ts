// SPDX-License-Identifier: Apache-2.0
// Speaks the native API. Whoever calls gets the answer or a Refused that a person can read.
//
// A session that ended is nobody's concern but this file's: a request that is answered 401 waits
// until somebody signed in again (the dialog does that), and is then asked once more. So nothing
// that was typed is lost.
import { takeEarly } from "../early.ts";
import { text } from "../text.ts";
import { manners, root, wantsJson } from "./request.ts";
import type { Problem, WhoAsks } from "./schema.ts";

export class Refused extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        readonly title: string,
        readonly detail: string,
        readonly trackingId = "",
        readonly retryAfter = 0,
    ) {
        super(detail);
        this.name = "Refused";
    }

    /** The server was not reached, or was in no state to answer. */
    get passing(): boolean {
        return this.status === 0 || this.status === 429 || this.status >= 502;
    }
}

type Values = Record<string, string | number | boolean | null | undefined>;

type Ask = {
    query?: Values;
    body?: unknown;
    /** Refused with 412 unless the record still has this version. */
    ifMatch?: string | null;
    signal?: AbortSignal;
};

let csrf: string | null = null;
let again: (() => Promise<void>) | null = null;
let waiting: Promise<void> | null = null;

/** What every change repeats; the session's own. */
export function keepCsrf(value: string | null): void {
    csrf = value;
}

/** Who shows the dialog when the session has ended. Resolves when somebody signed in again. */
export function onSessionEnd(ask: (() => Promise<void>) | null): void {
    again = ask;
}

type Reach = "up" | "down";
let reach: Reach = "up";
const watchers = new Set<(reach: Reach) => void>();

export function watchReach(watcher: (reach: Reach) => void): () => void {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
}

export function reachNow(): Reach {
    return reach;
}

function reached(now: Reach): void {
    if (now !== reach) {
        reach = now;
        watchers.forEach((watcher) => watcher(now));
    }
}

export function address(path: string, query: Values = {}): string {
    const pairs = Object.entries(query)
        .filter(([, value]) => value !== undefined && value !== null && value !== "")
        .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
    return root + path + (pairs.length > 0 ? `?${pairs.join("&")}` : "");
}

/** One segment of a path. */
export const segment = encodeURIComponent;

async function send(method: string, path: string, ask: Ask): Promise<Response> {
    const headers: Record<string, string> = { ...wantsJson };
    if (ask.body !== undefined) headers["Content-Type"] = "application/json";
    if (ask.ifMatch) headers["If-Match"] = ask.ifMatch.startsWith('"') ? ask.ifMatch : `"${ask.ifMatch}"`;
    if (csrf && method !== "GET") headers["X-Rollcall-CSRF"] = csrf;
    const request: RequestInit = { method, headers, ...manners };
    if (ask.body !== undefined) request.body = JSON.stringify(ask.body);
    if (ask.signal) request.signal = ask.signal;
    let response: Response;
    try {
        const at = address(path, ask.query);
        response = await ((method === "GET" && takeEarly(at)) || fetch(at, request));
    } catch (error) {
        if (error instanceof DOMException && error.name === "AbortError") throw error;
        reached("down");
        throw new Refused(0, "unreachable", text.errors.unreachableTitle, text.errors.unreachable);
    }
    reached(response.status === 502 || response.status === 504 ? "down" : "up");
    return response;
}

async function refusal(response: Response): Promise<Refused> {
    const retryAfter = Number(response.headers.get("Retry-After") ?? 0) || 0;
    try {
        const problem = (await response.json()) as Partial<Problem>;
        return new Refused(
            response.status,
            problem.code ?? "unknown",
            problem.title ?? text.errors.title(response.status),
            problem.detail ?? text.errors.title(response.status),
            problem.trackingId ?? "",
            retryAfter,
        );
    } catch {
        const title = text.errors.title(response.status);
        return new Refused(response.status, "unknown", title, title, "", retryAfter);
    }
}

export async function call<T>(method: string, path: string, ask: Ask = {}): Promise<T> {
    const signingIn = path === "/session" && method === "POST";
    for (let turn = 0; ; ++turn) {
        const response = await send(method, path, ask);
        if (response.ok) {
            return (response.status === 204 ? undefined : await response.json()) as T;
        }
        const refused = await refusal(response);
        if (refused.status === 401 && !signingIn && again && turn < 3) {
            waiting ??= again().finally(() => {
                waiting = null;
            });
            await waiting;
            continue;
        }
        // The session was renewed in another window: its word is another one now.
        if (refused.status === 403 && refused.code.startsWith("csrf-") && turn === 0) {
            const who = await send("GET", "/session", {});
            if (who.ok) {
                csrf = ((await who.json()) as WhoAsks).csrf;
                continue;
            }
        }
        throw refused;
    }
}

export const get = <T>(path: string, query?: Values, signal?: AbortSignal): Promise<T> =>
    call<T>("GET", path, { ...(query ? { query } : {}), ...(signal ? { signal } : {}) });

/** Who asks, or null where nobody is signed in. */
export async function whoAsks(): Promise<WhoAsks | null> {
    const response = await send("GET", "/session", {});
    if (response.status === 401) return null;
    if (!response.ok) throw await refusal(response);
    const who = (await response.json()) as WhoAsks;
    csrf = who.csrf;
    return who;
}

export async function signIn(name: string, password: string): Promise<WhoAsks> {
    const who = await call<WhoAsks>("POST", "/session", { body: { name, password } });
    csrf = who.csrf;
    return who;
}

/** Every page of a list, one after the other. `progress` hears how many there are so far. */
export async function all<T>(path: string, query: Values = {}, progress?: (count: number) => void, signal?: AbortSignal): Promise<T[]> {
    const items: T[] = [];
    let after: string | null = null;
    do {
        const page: { items: T[]; next: string | null } = await get(path, { limit: 1000, ...query, after }, signal);
        items.push(...page.items);
        after = page.next;
        progress?.(items.length);
    } while (after);
    return items;
}
