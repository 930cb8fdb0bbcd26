// SPDX-License-Identifier: Apache-2.0
// The list of individual enrollments.
import { useState } from "react";
import { Link, useSearchParams } from "react-router-dom";
import { segment } from "../api/client.ts";
import { usePages } from "../api/hooks.ts";
import type { Certificate, Enrollment } from "../api/schema.ts";
import { AddIcon, CertificateIcon } from "../icons.ts";
import { Act } from "../parts/act.tsx";
import { ValidityPill } from "../parts/certificate.tsx";
import { Page } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { Search } from "../parts/search.tsx";
import { EmptyState } from "../parts/states.tsx";
import { paged, VirtualTable, type Column } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { text } from "../text.ts";
import { DevicesTabs } from "./device_tabs.tsx";
import { NewDevice } from "./new_device.tsx";

const words = text.enrollments;

function Held({ certificate }: { certificate: Certificate | null }) {
    if (!certificate) return <span className="quiet">{text.connect.empty}</span>;
    return <span className="row nowrap"><Time at={certificate.notAfter} shape="date" /><ValidityPill certificate={certificate} quietly /></span>;
}

const columns: Column<Enrollment>[] = [
    { key: "id", name: words.columns.id, width: "minmax(140px, 1.4fr)", show: (one) => <Link className="row-link" to={`/ui/devices/${segment(one.deviceId ?? one.registrationId)}?connect=1&registration=${segment(one.registrationId)}`}>{one.registrationId}</Link> },
    { key: "method", name: words.columns.method, width: "170px", from: 760, show: (one) => text.connect.methods[one.attestation] },
    { key: "status", name: words.columns.status, width: "110px", show: (one) => (one.enabled ? <Pill tone="good">{text.groups.enabled}</Pill> : <Pill tone="bad">{text.groups.disabled}</Pill>) },
    { key: "primary", name: words.columns.primary, width: "minmax(150px, 1fr)", from: 560, show: (one) => (one.attestation === "x509" ? <Held certificate={one.certificates.primary} /> : "–") },
    { key: "secondary", name: words.columns.secondary, width: "minmax(150px, 1fr)", from: 700, show: (one) => (one.attestation === "x509" ? <Held certificate={one.certificates.secondary} /> : "–") },
    { key: "updated", name: words.columns.updated, width: "130px", from: 900, show: (one) => <Time at={one.updated} shape="relative" /> },
];

export default function Enrollments() {
    const [params, setParams] = useSearchParams();
    const [creating, setCreating] = useState(false);
    const search = params.get("search") ?? "";
    const enrollments = usePages<Enrollment>("/enrollments", { search });
    const create = <Act appearance="primary" icon={<AddIcon />} needs="enrollment.write" onClick={() => setCreating(true)}>{text.devices.new}</Act>;
    return (
        <Page title={text.devices.title} lead={text.devices.lead} actions={create} fill>
            <DevicesTabs />
            <VirtualTable label={text.devices.tabs.enrollments} rows={enrollments.data?.items} columns={columns} id={(one) => one.registrationId} {...paged(enrollments)}
                tools={<div className="tools"><Search value={search} label={words.search} onChange={(value) => setParams(value ? { search: value } : {}, { replace: true })} /></div>}
                empty={search
                    ? <EmptyState picture={<CertificateIcon />} title={text.table.nothing}><p>{text.table.nothingHint}</p></EmptyState>
                    : <EmptyState picture={<CertificateIcon />} title={words.empty} actions={create}><p>{words.emptyHint}</p></EmptyState>} />
            {creating && <NewDevice close={() => setCreating(false)} />}
        </Page>
    );
}
