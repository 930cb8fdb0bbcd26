// SPDX-License-Identifier: Apache-2.0
// A device's twin: what it should be like, what it says it is like. Edited whole, sent as a patch.
import { Field, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import { call, segment } from "../api/client.ts";
import { useChange, useOne } from "../api/hooks.ts";
import type { Twin, TwinPatch } from "../api/schema.ts";
import { EditIcon } from "../icons.ts";
import { mergePatch, plain, type Json } from "../lib/patch.ts";
import { Act } from "../parts/act.tsx";
import { FormDialog } from "../parts/confirm.tsx";
import { Card } from "../parts/page.tsx";
import { Asked, Note } from "../parts/states.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";

const words = text.twin;

function Shown({ value }: { value: Json }) {
    const bare = plain(value);
    if (Object.keys(bare).length === 0) return <p className="quiet">{words.empty}</p>;
    return <pre className="json focus" tabIndex={0}>{JSON.stringify(bare, null, 2)}</pre>;
}

function Edit({ twin, part, close }: { twin: Twin; part: "desired" | "tags"; close: () => void }) {
    const toast = useToast();
    const before = plain(part === "desired" ? twin.properties.desired : twin.tags);
    const [typed, setTyped] = useState(JSON.stringify(before, null, 2));
    let after: Json | null = null;
    try {
        const parsed: unknown = JSON.parse(typed);
        after = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as Json) : null;
    } catch {
        after = null;
    }
    const patch = after ? mergePatch(before, after) : undefined;
    const save = useChange<TwinPatch, Twin>((body) => call("PATCH", `/devices/${segment(twin.deviceId)}/twin`, { body, ...(twin.etag ? { ifMatch: twin.etag } : {}) }), () => { toast(words.saved); close(); });
    return (
        <FormDialog wide title={words.editTitle[part]} action={text.common.save} ready={Boolean(patch)} busy={save.isPending} refused={save.error} close={close}
            submit={() => patch && save.mutate(part === "desired" ? { properties: { desired: patch } } : { tags: patch })}>
            {part === "desired" && <Note tone="info">{words.editLead}</Note>}
            <Field label={words[part]} hint={words.patchHint} validationState={after ? "none" : "error"} validationMessage={after ? undefined : words.bad}>
                <Textarea value={typed} rows={14} resize="vertical" textarea={{ className: "mono" }} onChange={(_, data) => setTyped(data.value)} />
            </Field>
        </FormDialog>
    );
}

export default function TwinView({ id }: { id: string }) {
    const twin = useOne<Twin>(`/devices/${segment(id)}/twin`, {}, { every: 10_000 });
    const [editing, setEditing] = useState<"desired" | "tags" | null>(null);
    return (
        <Asked query={twin}>
            {(data) => (
                <>
                    <div className="cards">
                        <Card title={words.desired} aside={<Act size="small" needs="device.write" icon={<EditIcon />} aria-label={words.editTitle.desired} onClick={() => setEditing("desired")}>{words.edit}</Act>}><Shown value={data.properties.desired} /></Card>
                        <Card title={words.reported}><Shown value={data.properties.reported} /></Card>
                        <Card title={words.tags} aside={<Act size="small" needs="device.write" icon={<EditIcon />} aria-label={words.editTitle.tags} onClick={() => setEditing("tags")}>{words.edit}</Act>}><Shown value={data.tags} /></Card>
                    </div>
                    {editing && <Edit twin={data} part={editing} close={() => setEditing(null)} />}
                </>
            )}
        </Asked>
    );
}
