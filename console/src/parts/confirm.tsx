// SPDX-License-Identifier: Apache-2.0
// Asks before something is done. Where the server can say what it would do, it is asked first; who
// would cut devices off says so with a tick.
import {
    Button, Checkbox, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Spinner,
} from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { Refused } from "../api/client.ts";
import type { Preview } from "../api/schema.ts";
import { useChange } from "../api/hooks.ts";
import { text } from "../text.ts";
import { useReturnedFocus } from "./kept_focus.ts";
import { PreviewView, type Rests } from "./preview.tsx";
import { ErrorBar } from "./states.tsx";

export function ConfirmDialog<Out>({ title, children, action, danger, act, preview, previewKey, rests, reason = true, reasonNeeded, blocked, wide, gone, done, close }: {
    title: string;
    children?: ReactNode;
    /** The word on the button. */
    action: string;
    danger?: boolean;
    act: (reason: string) => Promise<Out>;
    preview?: () => Promise<Preview>;
    /** What the preview depends on: it is asked anew when this changes. */
    previewKey?: unknown;
    rests?: Rests[];
    reason?: boolean;
    reasonNeeded?: boolean;
    blocked?: boolean;
    wide?: boolean;
    /** The path of the record that this deletes. */
    gone?: string;
    done?: (out: Out) => void;
    close: () => void;
}) {
    useReturnedFocus();
    const [words, setWords] = useState("");
    const [understood, setUnderstood] = useState(false);
    const asked = useQuery<Preview, Refused>({
        queryKey: ["preview", title, previewKey ?? null],
        queryFn: () => preview!(),
        enabled: Boolean(preview),
        gcTime: 0,
        staleTime: 0,
    });
    const change = useChange<string, Out>(act, (out) => {
        done?.(out);
        close();
    }, gone);
    const stranded = asked.data && !asked.data.pending ? asked.data.impact.devices : 0;
    const waits = Boolean(preview) && !asked.data;
    const ready = !waits && !blocked && !change.isPending && (stranded === 0 || understood) && (!reasonNeeded || words.trim() !== "");
    return (
        <Dialog open onOpenChange={(_, data) => { if (!data.open && !change.isPending) close(); }}>
            <DialogSurface style={{ maxWidth: wide ? 760 : 560 }}>
                <form onSubmit={(event) => { event.preventDefault(); if (ready) change.mutate(words.trim()); }}>
                    <DialogBody>
                        <DialogTitle>{title}</DialogTitle>
                        <DialogContent>
                            <div className="stack" style={{ paddingBottom: 4 }}>
                                {children}
                                {preview && (asked.data ? <PreviewView preview={asked.data} {...(rests ? { rests } : {})} />
                                    : asked.error ? <ErrorBar refused={asked.error} retry={() => void asked.refetch()} />
                                        : <Spinner size="tiny" labelPosition="after" label={text.preview.asking} />)}
                                {stranded > 0 && (
                                    <Checkbox checked={understood} onChange={(_, data) => setUnderstood(Boolean(data.checked))} label={text.preview.understand(stranded)} />
                                )}
                                {(reason || reasonNeeded) && (
                                    <Field label={text.common.reason} required={reasonNeeded} hint={reasonNeeded ? text.common.reasonNeeded : text.common.reasonHint}>
                                        <Input value={words} maxLength={1024} onChange={(_, data) => setWords(data.value)} />
                                    </Field>
                                )}
                                <ErrorBar refused={change.error} />
                            </div>
                        </DialogContent>
                        <DialogActions>
                            <Button disabled={change.isPending} onClick={close}>{text.common.cancel}</Button>
                            <Button appearance="primary" type="submit" disabled={!ready} className={danger ? "danger-button" : undefined}
                                icon={change.isPending ? <Spinner size="extra-tiny" /> : undefined}>{action}</Button>
                        </DialogActions>
                    </DialogBody>
                </form>
            </DialogSurface>
        </Dialog>
    );
}

/** A dialog with a form in it. */
export function FormDialog({ title, children, action, ready, busy, refused, submit, close, wide }: {
    title: string; children: ReactNode; action: string; ready: boolean; busy: boolean; refused: Refused | null; submit: () => void; close: () => void; wide?: boolean;
}) {
    useReturnedFocus();
    return (
        <Dialog open onOpenChange={(_, data) => { if (!data.open && !busy) close(); }}>
            <DialogSurface style={{ maxWidth: wide ? 760 : 560 }}>
                <form onSubmit={(event) => { event.preventDefault(); if (ready && !busy) submit(); }}>
                    <DialogBody>
                        <DialogTitle>{title}</DialogTitle>
                        <DialogContent><div className="stack" style={{ paddingBottom: 4 }}>{children}<ErrorBar refused={refused} /></div></DialogContent>
                        <DialogActions>
                            <Button disabled={busy} onClick={close}>{text.common.cancel}</Button>
                            <Button appearance="primary" type="submit" disabled={!ready || busy} icon={busy ? <Spinner size="extra-tiny" /> : undefined}>{action}</Button>
                        </DialogActions>
                    </DialogBody>
                </form>
            </DialogSurface>
        </Dialog>
    );
}
