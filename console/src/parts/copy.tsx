// SPDX-License-Identifier: Apache-2.0
// Things to copy: a value, a command, a thumbprint.
import { Button, Tooltip } from "@fluentui/react-components";
import { useEffect, useRef, useState } from "react";
import { CheckSmallIcon, CopyIcon } from "../icons.ts";
import { text } from "../text.ts";

export function CopyButton({ value, what, label }: { value: string; what: string; label?: string }) {
    const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
    const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
    useEffect(() => () => clearTimeout(timer.current), []);
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(value);
            setState("copied");
        } catch {
            setState("failed");
        }
        clearTimeout(timer.current);
        timer.current = setTimeout(() => setState("idle"), 2500);
    };
    const name = `${text.common.copy}: ${what}`;
    const says = state === "copied" ? text.common.copied : state === "failed" ? text.common.copyFailed : name;
    return (
        <>
            <Tooltip content={says} relationship="label">
                <Button size="small" appearance={label ? "secondary" : "subtle"} aria-label={name} icon={state === "copied" ? <CheckSmallIcon /> : <CopyIcon />}
                    onClick={(event) => { event.stopPropagation(); event.preventDefault(); void copy(); }}>
                    {label}
                </Button>
            </Tooltip>
            <span className="sr" role="status">{state === "copied" ? text.common.copied : state === "failed" ? text.common.copyFailed : ""}</span>
        </>
    );
}

export function Command({ value, what, fold }: { value: string; what?: string; fold?: boolean }) {
    return (
        <div className="command">
            <pre className={fold ? "fold focus" : "focus"} tabIndex={0} aria-label={what}>{value}</pre>
            <CopyButton value={value} what={what ?? value} />
        </div>
    );
}

/** Upper-case hex, in groups where it stands whole. */
export function Thumbprint({ value, what, whole }: { value: string; what: string; whole?: boolean }) {
    const shown = whole ? value : `${value.slice(0, 8)}…${value.slice(-8)}`;
    return (
        <span className="row nowrap" style={{ gap: 2 }}>
            {whole ? (
                <span className="mono wrap">{shown}</span>
            ) : (
                <Tooltip content={{ children: <span className="mono">{value}</span> }} relationship="description">
                    <span className="mono">{shown}</span>
                </Tooltip>
            )}
            <CopyButton value={value} what={what} />
        </span>
    );
}
