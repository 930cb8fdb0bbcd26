// SPDX-License-Identifier: Apache-2.0
// A file by the folder icon or by drag and drop. The bytes stay in the page until something is
// saved; the server judges them.
import { Button, Tooltip } from "@fluentui/react-components";
import { useId, useRef, useState, type DragEvent } from "react";
import { CertificateLargeIcon, CloseSmallIcon, FolderIcon } from "../icons.ts";
import { fileBytesMax, readFile, type PickedFile } from "../lib/files.ts";
import { text } from "../text.ts";
import { Note } from "./states.tsx";

export function FilePicker({ label, file, onPick, slim, hint, disabled }: {
    /** What the file is for: "Primary certificate". */
    label: string;
    file: PickedFile | null;
    onPick: (file: PickedFile | null) => void;
    /** One line, as a field with the folder icon at its end. */
    slim?: boolean;
    hint?: string;
    disabled?: boolean;
}) {
    const input = useRef<HTMLInputElement>(null);
    const [over, setOver] = useState(false);
    const [problem, setProblem] = useState<string | null>(null);
    const id = useId();

    const take = async (files: FileList | null) => {
        setProblem(null);
        if (!files || files.length === 0) return;
        const [chosen] = files;
        if (files.length > 1 || !chosen) return setProblem(text.file.several);
        if (chosen.size > fileBytesMax) return setProblem(text.file.tooBig(chosen.name));
        try {
            onPick(await readFile(chosen));
        } catch {
            setProblem(text.file.unreadable(chosen.name));
        }
    };
    const dropping = {
        onDragOver: (event: DragEvent) => { event.preventDefault(); if (!disabled) setOver(true); },
        onDragLeave: () => setOver(false),
        onDrop: (event: DragEvent) => {
            event.preventDefault();
            setOver(false);
            if (!disabled) void take(event.dataTransfer.files);
        },
    };
    const open = () => input.current?.click();
    const hidden = (
        <input ref={input} type="file" className="sr" tabIndex={-1} aria-hidden disabled={disabled}
            accept=".cer,.crt,.pem,.der,.txt,application/x-x509-ca-cert,application/x-pem-file"
            onChange={(event) => { void take(event.target.files); event.target.value = ""; }} />
    );
    const clear = file && (
        <Tooltip content={text.file.clear} relationship="label">
            <Button size="small" appearance="subtle" icon={<CloseSmallIcon />} aria-label={`${text.file.clear}: ${file.name}`} onClick={() => onPick(null)} />
        </Tooltip>
    );
    const wrong = problem && <Note tone="bad" live>{problem}</Note>;

    if (slim) {
        return (
            <div className="stack tight">
                <div id={id} className="strong small">{label}</div>
                <div className={`drop slim${over ? " over" : ""}`} role="group" aria-labelledby={id} {...dropping}>
                    <span className={`grow ellipsis${file ? "" : " quiet"}`}>{file ? file.name : text.file.nothing}</span>
                    {clear}
                    <Tooltip content={text.file.browseFor(label)} relationship="label">
                        <Button appearance="subtle" icon={<FolderIcon />} aria-label={text.file.browseFor(label)} disabled={disabled} onClick={open} />
                    </Tooltip>
                    {hidden}
                </div>
                {hint && <div className="quiet small">{hint}</div>}
                {wrong}
            </div>
        );
    }
    return (
        <div className="stack">
            <div className={`drop${over ? " over" : ""}`} role="group" aria-label={label} {...dropping}>
                <CertificateLargeIcon aria-hidden />
                {file ? (
                    <div className="row"><span className="strong wrap">{text.file.chosen(file.name)}</span>{clear}</div>
                ) : (
                    <span>{text.file.drop}</span>
                )}
                <Button icon={<FolderIcon />} aria-label={text.file.browseFor(label)} disabled={disabled} onClick={open}>
                    {file ? text.file.replace : text.file.browse}
                </Button>
                {hidden}
                <span className="quiet small">{hint ?? text.file.hint}</span>
            </div>
            {wrong}
        </div>
    );
}
