// SPDX-License-Identifier: Apache-2.0
// All CA certificates, named ones and those that came with a slot.
import { Checkbox, Field, Input, Spinner, Switch } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router-dom";
import { call, segment, type Refused } from "../api/client.ts";
import { useChange, usePages } from "../api/hooks.ts";
import type { CaCertificate, CaCertificateAdd, CaCertificateChange, Inspection } from "../api/schema.ts";
import { AddIcon, CertificateIcon } from "../icons.ts";
import type { PickedFile } from "../lib/files.ts";
import { Act } from "../parts/act.tsx";
import { CertificateCard, commonName, Findings, ValidityPill } from "../parts/certificate.tsx";
import { FormDialog } from "../parts/confirm.tsx";
import { FilePicker } from "../parts/file_picker.tsx";
import { Page } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { Search } from "../parts/search.tsx";
import { EmptyState, ErrorBar } from "../parts/states.tsx";
import { paged, VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { ConnectionTabs } from "./connection_tabs.tsx";

const words = text.cas;

const columns: Column<CaCertificate>[] = [
    { key: "name", name: words.columns.name, width: "minmax(160px, 1.4fr)", show: (ca) => <Link className="row-link" to={`/ui/device-connection/certificates/${segment(ca.id)}`}>{ca.name || commonName(ca.certificate)}</Link> },
    { key: "subject", name: words.columns.subject, width: "minmax(150px, 1.6fr)", from: 860, show: (ca) => ca.certificate.subject },
    { key: "status", name: words.columns.status, width: "134px", show: (ca) => (ca.verified ? <Pill tone="good">{text.certificate.verified}</Pill> : <Pill tone="warn">{text.certificate.unverified}</Pill>) },
    { key: "ends", name: words.columns.ends, width: "230px", from: 620, show: (ca) => <span className="row nowrap"><Time at={ca.certificate.notAfter} shape="date" /><ValidityPill certificate={ca.certificate} quietly /></span> },
    { key: "used", name: words.columns.used, width: "minmax(140px, 1fr)", from: 1000, show: (ca) => (ca.usedBy.length > 0 ? ca.usedBy.map((use) => words.usedBy(use.group, use.slot, use.as)).join("; ") : <span className="quiet">{words.usedByNone}</span>) },
];

function AddCa({ close }: { close: () => void }) {
    const toast = useToast();
    const navigate = useNavigate();
    const [name, setName] = useState("");
    const [file, setFile] = useState<PickedFile | null>(null);
    const [vouch, setVouch] = useState(false);
    const [force, setForce] = useState(false);
    const inspected = useQuery<Inspection, Refused>({
        queryKey: ["inspect-ca", file?.content],
        queryFn: () => call("POST", "/certificates/inspect", { body: { certificate: file!.content, as: "ca" } }),
        enabled: Boolean(file), retry: false, staleTime: Infinity,
    });
    const fatal = (inspected.data?.findings ?? []).some((one) => one.gravity === "fatal");
    const add = useChange<CaCertificateAdd, CaCertificateChange>((body) => call("POST", "/ca-certificates", { body }), (change) => {
        toast(words.added);
        navigate(`/ui/device-connection/certificates/${segment(change.caCertificate.id)}`);
    });
    return (
        <FormDialog wide title={words.addTitle} action={text.common.save} ready={Boolean(file && inspected.data) && (!fatal || force)} busy={add.isPending} refused={add.error} close={close}
            submit={() => file && add.mutate({ name: name.trim(), certificate: file.content, vouch, ...(force ? { force } : {}) })}>
            <p className="quiet">{words.addLead}</p>
            <Field label={text.common.name} hint={words.nameHint}><Input value={name} maxLength={128} onChange={(_, data) => setName(data.value)} /></Field>
            <FilePicker label={text.connection.certificates} file={file} onPick={(picked) => { setFile(picked); setForce(false); }} />
            {file && inspected.isPending && <Spinner size="tiny" label={text.preview.asking} labelPosition="after" />}
            <ErrorBar refused={inspected.error} title={text.file.refused(file?.name ?? "")} />
            {inspected.data && <CertificateCard certificate={inspected.data.certificate}><Findings findings={inspected.data.findings} /></CertificateCard>}
            {fatal && <Checkbox checked={force} onChange={(_, data) => setForce(Boolean(data.checked))} label={text.panel.force} />}
            <Field hint={vouch ? text.panel.vouchOn : text.panel.vouchOff}><Switch checked={vouch} label={text.panel.vouch} onChange={(_, data) => setVouch(data.checked)} /></Field>
        </FormDialog>
    );
}

export default function Cas() {
    const [params, setParams] = useSearchParams();
    const [adding, setAdding] = useState(false);
    const search = params.get("search") ?? "";
    const cas = usePages<CaCertificate>("/ca-certificates", { search });
    const add = <Act appearance="primary" icon={<AddIcon />} needs="ca.write" onClick={() => setAdding(true)}>{words.add}</Act>;
    return (
        <Page title={text.connection.title} lead={text.connection.lead} actions={add} fill>
            <ConnectionTabs />
            <VirtualTable label={text.connection.certificates} rows={cas.data?.items} columns={columns} id={(ca) => ca.id} {...paged(cas)}
                tools={<div className="tools"><Search value={search} label={words.search} onChange={(value) => setParams(value ? { search: value } : {}, { replace: true })} /></div>}
                empty={search
                    ? <EmptyState picture={<CertificateIcon />} title={text.table.nothing}><p>{text.table.nothingHint}</p></EmptyState>
                    : <EmptyState picture={<CertificateIcon />} title={words.empty} actions={add}><p>{words.emptyHint}</p></EmptyState>} />
            {adding && <AddCa close={() => setAdding(false)} />}
        </Page>
    );
}
