// SPDX-License-Identifier: Apache-2.0
// One thing done to many devices: a few at a time, with how far it is, and what was refused by name.
import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, ProgressBar } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { call, segment, type Refused } from "../api/client.ts";
import { Note } from "../parts/states.tsx";
import { text } from "../text.ts";

export type BulkWord = "approve" | "block" | "unblock" | "delete";

const atOnce = 4;

export function BulkDialog({ word, ids, close, done }: { word: BulkWord; ids: string[]; close: () => void; done: () => void }) {
    const client = useQueryClient();
    const [reason, setReason] = useState("");
    const [state, setState] = useState<"asking" | "running" | "over">("asking");
    const [finished, setFinished] = useState(0);
    const [refused, setRefused] = useState<{ id: string; why: string }[]>([]);
    const stopped = useRef(false);
    const words = text.devices;

    const ask = async (id: string) => {
        const path = `/devices/${segment(id)}`;
        const said = reason.trim();
        if (word === "delete") await call("DELETE", path, { query: { reason: said } });
        else await call("POST", `${path}/${word}`, { body: said ? { reason: said } : {} });
    };
    /** Callers have a pace; who keeps it is not refused. */
    const one = async (id: string): Promise<void> => {
        try {
            await ask(id);
        } catch (error) {
            const { status, retryAfter } = error as Refused;
            if (status !== 429 || stopped.current) throw error;
            await new Promise((resolve) => { setTimeout(resolve, Math.max(1, retryAfter) * 1000); });
            await one(id);
        }
    };
    const run = async () => {
        setState("running");
        const rest = [...ids];
        await Promise.all(Array.from({ length: atOnce }, async () => {
            for (let id = rest.shift(); id !== undefined && !stopped.current; id = rest.shift()) {
                const name = id;
                try {
                    await one(name);
                } catch (error) {
                    setRefused((before) => [...before, { id: name, why: (error as Refused).detail }]);
                }
                setFinished((n) => n + 1);
            }
        }));
        setState("over");
        void client.invalidateQueries();
    };
    const end = () => {
        if (state === "running") {
            stopped.current = true;
            return;
        }
        if (state === "over") done();
        close();
    };
    return (
        <Dialog open onOpenChange={(_, data) => { if (!data.open) end(); }}>
            <DialogSurface>
                <DialogBody>
                    <DialogTitle>{words.bulk[word](ids.length)}</DialogTitle>
                    <DialogContent>
                        <div className="stack">
                            <p>{words.bulkLead[word]}</p>
                            {state === "asking" && (
                                <Field label={text.common.reason} hint={text.common.reasonHint}><Input value={reason} maxLength={1024} onChange={(_, data) => setReason(data.value)} /></Field>
                            )}
                            {state !== "asking" && (
                                <div className="stack tight" role="status">
                                    <ProgressBar value={finished} max={ids.length} aria-label={words.bulk[word](ids.length)} />
                                    <span className="quiet small">{words.bulkProgress(finished, ids.length)}</span>
                                </div>
                            )}
                            {state === "over" && <Note tone={refused.length > 0 ? "warn" : "good"}>{words.bulkDone(finished - refused.length)}</Note>}
                            {refused.length > 0 && (
                                <Note tone="bad" title={words.bulkFailed(refused.length)}>
                                    <ul className="plain" style={{ maxHeight: 160, overflow: "auto" }}>{refused.slice(0, 100).map((each) => <li key={each.id}><span className="mono">{each.id}</span>: {each.why}</li>)}</ul>
                                </Note>
                            )}
                        </div>
                    </DialogContent>
                    <DialogActions>
                        <Button onClick={end}>{state === "running" ? words.stop : state === "over" ? text.common.close : text.common.cancel}</Button>
                        {state === "asking" && (
                            <Button appearance="primary" className={word === "delete" || word === "block" ? "danger-button" : undefined} onClick={() => void run()}>{words[word]}</Button>
                        )}
                    </DialogActions>
                </DialogBody>
            </DialogSurface>
        </Dialog>
    );
}
