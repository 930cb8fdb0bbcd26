// SPDX-License-Identifier: Apache-2.0
// A moment in the reader's zone, in UTC on hover. One clock for all of them.
import { Tooltip } from "@fluentui/react-components";
import { useSyncExternalStore } from "react";
import { relative, utc } from "../lib/time.ts";
import { text } from "../text.ts";

let now = Date.now();
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(watcher: () => void): () => void {
    watchers.add(watcher);
    if (!timer) now = Date.now();
    timer ??= setInterval(() => {
        now = Date.now();
        watchers.forEach((one) => one());
    }, 15_000);
    return () => {
        watchers.delete(watcher);
        if (watchers.size === 0) {
            clearInterval(timer);
            timer = undefined;
        }
    };
}

/** The time now, to a quarter of a minute. */
export function useNow(): number {
    return useSyncExternalStore(watch, () => now);
}

const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dateOnly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const precise = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

type TimeShape = "full" | "date" | "relative" | "precise";

export function Time({ at, shape = "full" }: { at: string | null | undefined; shape?: TimeShape }) {
    const current = useNow();
    if (!at) return <span className="quiet">{text.common.never}</span>;
    const moment = new Date(at);
    if (Number.isNaN(moment.getTime())) return <span>{at}</span>;
    const near = relative(at, current);
    const shown = shape === "relative" ? near : (shape === "date" ? dateOnly : shape === "precise" ? precise : dateAndTime).format(moment);
    return (
        <Tooltip relationship="description" content={{ children: (
            <span className="stack tight">
                <span>{shape === "relative" ? precise.format(moment) : near}</span>
                <span className="mono">{utc(at)}</span>
            </span>
        ) }}>
            <time dateTime={at} className="tabular">{shown}</time>
        </Tooltip>
    );
}
