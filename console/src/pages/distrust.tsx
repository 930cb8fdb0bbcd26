// SPDX-License-Identifier: Apache-2.0
// Keys that nobody may use again.
import { Field, Input, Radio, RadioGroup } from "@fluentui/react-components";
import { useState } from "react";
import { useSearchParams } from "react-router-dom";
import { call, segment } from "../api/client.ts";
import { usePages } from "../api/hooks.ts";
import type { Deleted, Distrusted, DistrustAdd, Preview } from "../api/schema.ts";
import { BreachIcon, DistrustIcon } from "../icons.ts";
import type { PickedFile } from "../lib/files.ts";
import { Act } from "../parts/act.tsx";
import { ConfirmDialog } from "../parts/confirm.tsx";
import { Thumbprint } from "../parts/copy.tsx";
import { FilePicker } from "../parts/file_picker.tsx";
import { Page } from "../parts/page.tsx";
import { EmptyState } from "../parts/states.tsx";
import { paged, VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { ConnectionTabs } from "./connection_tabs.tsx";

const words = text.distrust;

function AddKey({ spki, close }: { spki: string; close: () => void }) {
    const toast = useToast();
    const [way, setWay] = useState<"file" | "hash">(spki ? "hash" : "file");
    const [file, setFile] = useState<PickedFile | null>(null);
    const [hash, setHash] = useState(spki);
    const bare = hash.replace(/[\s:]/g, "");
    const known = way === "file" ? Boolean(file) : /^[0-9a-fA-F]{64}$/.test(bare);
    const body = (reason: string): DistrustAdd => ({ ...(way === "file" ? { certificate: file?.content ?? "" } : { spkiSha256: bare }), reason });
    return (
        <ConfirmDialog title={words.addTitle} action={words.add} danger wide reasonNeeded blocked={!known} close={close} done={() => toast(words.added)}
            act={(reason) => call("POST", "/distrust", { body: body(reason) })}
            {...(known ? { preview: () => call<Preview>("POST", "/distrust", { query: { dryRun: true }, body: body("-") }) } : {})} previewKey={[way, file?.content, bare]}>
            <p>{words.addLead}</p>
            <RadioGroup value={way} aria-label={words.addTitle} onChange={(_, data) => setWay(data.value as "file" | "hash")}>
                <Radio value="file" label={words.byFile} />
                <Radio value="hash" label={words.byHash} />
            </RadioGroup>
            {way === "file" ? <FilePicker slim label={words.certificate} file={file} onPick={setFile} hint={text.file.hint} />
                : <Field label={words.hash}><Input value={hash} input={{ className: "mono" }} onChange={(_, data) => setHash(data.value)} /></Field>}
        </ConfirmDialog>
    );
}

export default function Distrust() {
    const toast = useToast();
    const keys = usePages<Distrusted>("/distrust");
    const [params, setParams] = useSearchParams();
    const spki = params.get("key") ?? "";
    const [adding, setAdding] = useState(spki !== "");
    const [lifting, setLifting] = useState<Distrusted | null>(null);
    const columns: Column<Distrusted>[] = [
        { key: "subject", name: words.columns.subject, width: "minmax(140px, 1.2fr)", show: (key) => <span className="strong">{key.subject || words.unknown}</span> },
        { key: "key", name: words.columns.key, width: "210px", from: 700, show: (key) => <Thumbprint value={key.spkiSha256} what={words.columns.key} /> },
        { key: "reason", name: words.columns.reason, width: "minmax(120px, 1.6fr)", from: 520, show: (key) => <span title={key.reason}>{key.reason}</span> },
        { key: "by", name: words.columns.by, width: "150px", from: 960, show: (key) => key.by },
        { key: "at", name: words.columns.at, width: "130px", from: 840, show: (key) => <Time at={key.at} shape="relative" /> },
        { key: "lift", name: text.common.actions, width: "84px", show: (key) => <Act size="small" needs="distrust.write" onClick={() => setLifting(key)}>{words.lift}</Act> },
    ];
    const add = <Act appearance="primary" icon={<BreachIcon />} needs="distrust.write" onClick={() => setAdding(true)}>{words.add}</Act>;
    return (
        <Page title={text.connection.title} lead={words.lead} actions={add} fill>
            <ConnectionTabs />
            <VirtualTable label={text.connection.distrust} rows={keys.data?.items} columns={columns} id={(key) => key.spkiSha256} {...paged(keys)}
                empty={<EmptyState picture={<DistrustIcon />} title={words.empty}><p>{words.emptyHint}</p></EmptyState>} />
            {adding && <AddKey spki={spki} close={() => { setAdding(false); setParams({}, { replace: true }); }} />}
            {lifting && (
                <ConfirmDialog<Deleted> title={words.liftTitle} action={words.lift} danger reasonNeeded close={() => setLifting(null)} done={() => toast(words.lifted)}
                    act={(reason) => call("DELETE", `/distrust/${segment(lifting.spkiSha256)}`, { query: { reason } })}
                    preview={() => call<Preview>("DELETE", `/distrust/${segment(lifting.spkiSha256)}`, { query: { dryRun: true, reason: "-" } })} previewKey={lifting.spkiSha256}>
                    <p className="strong wrap">{lifting.subject || lifting.spkiSha256}</p>
                    <p>{words.liftLead}</p>
                </ConfirmDialog>
            )}
        </Page>
    );
}
