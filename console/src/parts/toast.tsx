// SPDX-License-Identifier: Apache-2.0
// A short word that something was done. It takes no focus, and goes by itself.
import { useCallback, useSyncExternalStore } from "react";
import { GoodIcon } from "../icons.ts";

type Said = { id: number; words: string };

let said: Said[] = [];
let last = 0;
const watchers = new Set<() => void>();

function change(next: Said[]): void {
    said = next;
    watchers.forEach((watcher) => watcher());
}

function watch(watcher: () => void): () => void {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
}

export function Toasts() {
    const shown = useSyncExternalStore(watch, () => said);
    return (
        <div className="toasts" role="status">
            {shown.map((one) => <div key={one.id} className="toast"><GoodIcon aria-hidden /><span>{one.words}</span></div>)}
        </div>
    );
}

export function useToast(): (words: string) => void {
    return useCallback((words: string) => {
        const id = ++last;
        change([...said, { id, words }].slice(-4));
        setTimeout(() => change(said.filter((one) => one.id !== id)), 5000);
    }, []);
}
