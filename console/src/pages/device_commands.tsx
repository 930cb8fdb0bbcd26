// SPDX-License-Identifier: Apache-2.0
// Direct methods, and messages that wait for a device.
import { Field, Input, Spinner, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import { call, segment } from "../api/client.ts";
import { useChange, useOne } from "../api/hooks.ts";
import type { Connection, MessageList, MessageToDevice, MethodAnswer, Purged } from "../api/schema.ts";
import { SendIcon } from "../icons.ts";
import { Act } from "../parts/act.tsx";
import { ConfirmDialog } from "../parts/confirm.tsx";
import { Card } from "../parts/page.tsx";
import { ErrorBar, Note } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";

const words = text.commands;

function parse(typed: string): { good: boolean; value?: unknown } {
    if (!typed.trim()) return { good: true };
    try {
        return { good: true, value: JSON.parse(typed) as unknown };
    } catch {
        return { good: false };
    }
}

function Method({ id }: { id: string }) {
    const connection = useOne<Connection>(`/devices/${segment(id)}/connection`, {}, { every: 10_000 });
    const [method, setMethod] = useState("");
    const [payload, setPayload] = useState("");
    const [timeout, setTimeoutText] = useState("30");
    const parsed = parse(payload);
    const ask = useChange<void, MethodAnswer>(() => call("POST", `/devices/${segment(id)}/methods/${segment(method.trim())}`, {
        body: { ...(parsed.value === undefined ? {} : { payload: parsed.value }), timeoutSeconds: Number(timeout) || 30 },
    }));
    return (
        <Card title={words.method}>
            <form className="stack" onSubmit={(event) => { event.preventDefault(); ask.mutate(); }}>
                {connection.data && !connection.data.connected && <Note tone="warn">{words.notConnected}</Note>}
                <Field label={words.methodName} required><Input value={method} maxLength={100} onChange={(_, data) => setMethod(data.value)} /></Field>
                <Field label={words.payload} validationState={parsed.good ? "none" : "error"} validationMessage={parsed.good ? undefined : words.badJson}>
                    <Textarea value={payload} rows={4} textarea={{ className: "mono" }} onChange={(_, data) => setPayload(data.value)} />
                </Field>
                <Field label={words.timeout}><Input type="number" min={5} max={300} value={timeout} onChange={(_, data) => setTimeoutText(data.value)} style={{ maxWidth: 140 }} /></Field>
                <ErrorBar refused={ask.error} />
                <div className="row">
                    <Act needs="device.write" appearance="primary" type="submit" disabled={!method.trim() || !parsed.good || ask.isPending} icon={ask.isPending ? <Spinner size="extra-tiny" /> : undefined}>{words.call}</Act>
                    {ask.isPending && <span className="quiet" role="status">{words.calling}</span>}
                </div>
                {ask.data && (
                    <div className="stack" role="status">
                        <Note tone={ask.data.status < 300 ? "good" : "warn"}>{words.answered(ask.data.status)}</Note>
                        {ask.data.payload !== null && <pre className="json">{JSON.stringify(ask.data.payload, null, 2)}</pre>}
                    </div>
                )}
            </form>
        </Card>
    );
}

function Messages({ id }: { id: string }) {
    const toast = useToast();
    const [body, setBody] = useState("");
    const [dropping, setDropping] = useState(false);
    const path = `/devices/${segment(id)}/messages`;
    const waiting = useOne<MessageList>(path, {}, { every: 10_000 });
    const send = useChange<void, MessageToDevice>(() => call("POST", path, { body: { body } }), () => { toast(words.sent); setBody(""); });
    return (
        <div className="stack wide">
            <Card title={words.message}>
                <form className="stack" onSubmit={(event) => { event.preventDefault(); send.mutate(); }}>
                    <Field label={words.body} required><Textarea value={body} rows={4} onChange={(_, data) => setBody(data.value)} /></Field>
                    <ErrorBar refused={send.error} />
                    <div className="row"><Act needs="device.write" appearance="primary" type="submit" icon={<SendIcon />} disabled={!body || send.isPending}>{words.send}</Act></div>
                </form>
            </Card>
            <Card title={words.waiting} aside={(waiting.data?.items.length ?? 0) > 0 && <Act size="small" needs="device.write" onClick={() => setDropping(true)}>{words.drop}</Act>}>
                <ErrorBar refused={waiting.error} retry={() => void waiting.refetch()} />
                {waiting.data?.items.length === 0 && <p className="quiet">{words.none}</p>}
                <div className="list">
                    {waiting.data?.items.map((message) => (
                        <div className="item" key={message.number}>
                            <span className="grow mono wrap">{message.body ?? text.telemetry.binary(Math.floor(((message.bodyBase64 ?? "").length * 3) / 4))}</span>
                            <span className="quiet small">{words.expires} <Time at={message.expires} shape="relative" /></span>
                        </div>
                    ))}
                </div>
            </Card>
            {dropping && (
                <ConfirmDialog<Purged> title={words.dropTitle} action={words.drop} danger close={() => setDropping(false)} done={(purged) => toast(words.dropped(purged.removed))}
                    act={(reason) => call("DELETE", path, { query: { reason } })}><p>{words.dropLead}</p></ConfirmDialog>
            )}
        </div>
    );
}

export default function Commands({ id }: { id: string }) {
    return <div className="cards"><Method id={id} /><Messages id={id} /></div>;
}
