// SPDX-License-Identifier: Apache-2.0
// What a page says when it has nothing, waits, or was refused.
import { Button, Skeleton, SkeletonItem, Spinner } from "@fluentui/react-components";
import type { ReactNode } from "react";
import type { Refused } from "../api/client.ts";
import { BadIcon, GoodIcon, InfoIcon, WarnIcon } from "../icons.ts";
import { sentence, text } from "../text.ts";

type Tone = "info" | "good" | "warn" | "bad";

const pictures = { info: InfoIcon, good: GoodIcon, warn: WarnIcon, bad: BadIcon };

export function Note({ tone = "info", title, children, actions, live }: {
    tone?: Tone; title?: string; children?: ReactNode; actions?: ReactNode; live?: boolean;
}) {
    const Picture = pictures[tone];
    return (
        <div className={`note ${tone}`} role={live ? (tone === "bad" ? "alert" : "status") : undefined}>
            <Picture aria-hidden />
            <div className="body">
                {title && <div className="strong">{title}</div>}
                {children}
            </div>
            {actions && <div className="actions">{actions}</div>}
        </div>
    );
}

/** What happened, what to do, and the id under which the server's log has it. */
export function ErrorBar({ refused, retry, title }: { refused: Refused | null | undefined; retry?: () => void; title?: string }) {
    if (!refused) return null;
    const stale = refused.status === 412;
    return (
        <Note tone={refused.passing || stale ? "warn" : "bad"} live title={refused.passing ? refused.title : title ?? (refused.title === refused.detail ? undefined : refused.title)}
            actions={retry && <Button size="small" onClick={retry}>{text.common.retry}</Button>}>
            <div>{stale ? text.errors.stale : sentence(refused.detail)}</div>
            {refused.trackingId && <div className="quiet small">{text.common.tracking(refused.trackingId)}</div>}
        </Note>
    );
}

export function EmptyState({ picture, title, children, actions }: {
    picture: ReactNode; title: string; children?: ReactNode; actions?: ReactNode;
}) {
    return (
        <div className="empty">
            <div className="picture" aria-hidden>{picture}</div>
            <h2 className="h2">{title}</h2>
            {children}
            {actions && <div className="row">{actions}</div>}
        </div>
    );
}

export function Loading({ lines = 4 }: { lines?: number }) {
    return (
        <Skeleton aria-label={text.common.loading}>
            <div className="stack">
                {Array.from({ length: lines }, (_, i) => (
                    <SkeletonItem key={i} size={i === 0 ? 24 : 16} style={{ width: `${[42, 88, 74, 63, 80][i % 5]}%` }} />
                ))}
            </div>
        </Skeleton>
    );
}

/** Before anything is known. */
export function Frozen({ refused, retry }: { refused?: Refused; retry?: () => void }) {
    return (
        <main className="gate">
            {refused ? (
                <div className="gate-card"><ErrorBar refused={refused} {...(retry ? { retry } : {})} /></div>
            ) : (
                <Spinner label={text.common.loading} />
            )}
        </main>
    );
}

/** Waits, was refused, or has something: the three states of whatever was asked. */
export function Asked<T>({ query, children, lines }: {
    query: { data: T | undefined; error: Refused | null; isPending: boolean; refetch: () => unknown };
    children: (data: T) => ReactNode;
    lines?: number;
}) {
    if (query.data !== undefined) {
        return (
            <>
                {query.error && <ErrorBar refused={query.error} retry={() => void query.refetch()} />}
                {children(query.data)}
            </>
        );
    }
    if (query.error) return <ErrorBar refused={query.error} retry={() => void query.refetch()} />;
    return <div className="card"><Loading {...(lines ? { lines } : {})} /></div>;
}
