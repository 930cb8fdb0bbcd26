// SPDX-License-Identifier: Apache-2.0
// One device: how it stands, what it proved itself with, what it says, and what it may be told.
import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger, Tooltip } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router-dom";
import { call, get, segment, type Refused } from "../api/client.ts";
import { useOne } from "../api/hooks.ts";
import type { Adoption, Connection, Deleted, Device, DeviceDetail, Explanation, Preview } from "../api/schema.ts";
import { ConnectIcon, DevicesIcon, MoreIcon } from "../icons.ts";
import { idle } from "../lib/activity.ts";
import { Act } from "../parts/act.tsx";
import { ValidityBar } from "../parts/certificate.tsx";
import { ConfirmDialog } from "../parts/confirm.tsx";
import { Thumbprint } from "../parts/copy.tsx";
import { Card, Facts, Page } from "../parts/page.tsx";
import { Pill, StatePill } from "../parts/pill.tsx";
import { EntryLink, RefusalView } from "../parts/refusal.tsx";
import { useCan } from "../parts/session.tsx";
import { EmptyState, ErrorBar, Loading, Note } from "../parts/states.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import { ConnectPanel } from "./connect_panel.tsx";

const Telemetry = lazy(() => import("./device_telemetry.tsx"));
const TwinView = lazy(() => import("./device_twin.tsx"));
const Commands = lazy(() => import("./device_commands.tsx"));

const words = text.device;

/** Null where there is none: an id may have an enrollment, or have been refused, and be no device. */
function useMaybe<T>(path: string, enabled = true, every?: number) {
    return useQuery<T | null, Refused>({
        queryKey: [path, "maybe"],
        queryFn: async ({ signal }) => {
            try {
                return await get<T>(path, {}, signal);
            } catch (error) {
                if ((error as Refused).status === 404) return null;
                throw error;
            }
        },
        enabled,
        ...(every ? { refetchInterval: () => (idle() ? false : every) } : {}),
    });
}

function LastProof({ last }: { last: Adoption }) {
    return (
        <div className="stack">
            {last.attestation === "symmetricKey" ? <p>{words.key}</p> : last.notBefore && last.notAfter && <ValidityBar certificate={{ notBefore: last.notBefore, notAfter: last.notAfter }} />}
            <Facts facts={[
                [words.restsOn, <EntryLink entry={last.entry} />],
                [words.slot, text.slots.title[last.slot]],
                last.attestation === "x509" && [text.certificate.sha256, <Thumbprint value={last.leafSha256Thumbprint} what={text.certificate.sha256} />],
                last.attestation === "x509" && [words.caThumbprint, <Thumbprint value={last.caSha256Thumbprint} what={words.caThumbprint} />],
                last.attestation === "x509" && [text.certificate.serial, <span className="mono wrap">{last.serialNumber}</span>],
                last.key !== "" && [text.certificate.key, `${last.key}, ${last.signatureAlgorithm}`],
                [words.lastRegistered, <Time at={last.at} />],
                [words.protocol, `${last.protocol}, ${last.tlsVersion}`],
                last.userAgent !== "" && [words.client, last.userAgent],
            ]} />
            {last.completed && <Note tone="info">{words.completed}</Note>}
            {last.wentBack && <Note tone="warn">{words.wentBack}</Note>}
        </div>
    );
}

function ConnectionCard({ id }: { id: string }) {
    const connection = useOne<Connection>(`/devices/${segment(id)}/connection`, {}, { every: 10_000 });
    const data = connection.data;
    return (
        <Card title={words.connection} aside={data && (data.connected ? <Pill tone="good">{text.devices.connected}</Pill> : <Pill>{text.devices.notConnected}</Pill>)}>
            <ErrorBar refused={connection.error} retry={() => void connection.refetch()} />
            {connection.isPending && <Loading lines={2} />}
            {data && (data.connected ? (
                <Facts facts={[
                    [words.since, <Time at={data.since} />],
                    [words.protocol, data.protocol ?? "–"],
                    [words.from, <span className="mono">{data.address}</span>],
                    data.userAgent ? [words.client, data.userAgent] : null,
                ]} />
            ) : <p className="quiet">{text.devices.notConnected}</p>)}
        </Card>
    );
}

function Overview({ device }: { device: DeviceDetail }) {
    const registration = device.registration;
    return (
        <div className="stack wide">
            <div className="cards">
                <Card title={words.certificate}>
                    {registration ? <LastProof last={registration.last} /> : <p className="quiet">{words.noHistory}</p>}
                </Card>
                <div className="stack wide">
                    <ConnectionCard id={device.id} />
                    <Card title={text.common.details}>
                        <Facts facts={[
                            [words.deviceId, <span className="mono wrap">{device.id}</span>],
                            [words.registrationId, <span className="mono wrap">{device.registrationId}</span>],
                            registration && [words.hub, registration.assignedHub || "–"],
                            registration && [words.registrations, registration.registrations.toLocaleString("en")],
                            [words.firstSeen, <Time at={device.created} />],
                            registration && registration.errorCode !== 0 && [text.common.status, `${registration.errorCode} ${registration.errorMessage}`],
                        ]} />
                    </Card>
                </div>
            </div>
            {device.lastRefusal && <Card title={words.refusal}><RefusalView refusal={device.lastRefusal} /></Card>}
        </div>
    );
}

function History({ device }: { device: DeviceDetail }) {
    return (
        <div className="stack wide">
            <Card title={words.history} flush>
                {device.history.length === 0 ? <p className="quiet" style={{ padding: 20 }}>{words.noHistory}</p> : (
                    <div style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label={words.history} className="focus">
                        <table className="plain-table">
                            <thead><tr>{Object.values(words.columns).map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
                            <tbody>
                                {device.history.map((one) => (
                                    <tr key={one.operationId + one.at}>
                                        <td><Time at={one.at} /></td>
                                        <td><span className="row nowrap"><EntryLink entry={one.entry} /><span className="quiet small">{text.slots.title[one.slot]}</span></span></td>
                                        <td>{one.attestation === "x509" ? <Thumbprint value={one.leafSha256Thumbprint} what={text.certificate.sha256} /> : text.connect.methods.symmetricKey}</td>
                                        <td>{one.notAfter ? <Time at={one.notAfter} shape="date" /> : "–"}</td>
                                        <td>{one.protocol}</td>
                                        <td><span className="row nowrap"><Pill tone={one.status === "assigned" ? "good" : one.status === "assigning" ? "info" : "bad"}>{one.status}</Pill>{one.wentBack && <Pill tone="warn">{words.wentBack}</Pill>}</span></td>
                                    </tr>
                                ))}
                            </tbody>
                        </table>
                    </div>
                )}
            </Card>
            <Card title={words.refusal}>
                {device.lastRefusal ? <RefusalView refusal={device.lastRefusal} /> : <p className="quiet">{words.noRefusal}</p>}
            </Card>
        </div>
    );
}

/** An id that is no device: perhaps it waits for its first registration, perhaps it was refused. */
function NotADevice({ id }: { id: string }) {
    const explanation = useMaybe<Explanation>(`/registrations/${segment(id)}/explanation`);
    const enrollment = useMaybe<unknown>(`/enrollments/${segment(id)}`);
    return (
        <>
            <div className="card">
                {enrollment.data ? <EmptyState picture={<DevicesIcon />} title={words.never}><p>{words.neverLead}</p></EmptyState>
                    : <EmptyState picture={<DevicesIcon />} title={words.unknown(id)}><p>{words.unknownLead}</p></EmptyState>}
            </div>
            {explanation.data?.refusal && <Card title={words.refusal}><RefusalView refusal={explanation.data.refusal} /></Card>}
        </>
    );
}

type Asking = "approve" | "block" | "unblock" | "delete" | null;

export default function DevicePage() {
    const { device: name = "", "*": rest = "" } = useParams();
    const [params, setParams] = useSearchParams();
    const navigate = useNavigate();
    const toast = useToast();
    const mayWrite = useCan("device.write");
    const path = `/devices/${segment(name)}`;
    const device = useMaybe<DeviceDetail>(path, true, 15_000);
    const [asking, setAsking] = useState<Asking>(null);
    const data = device.data;
    const tab = rest || "overview";
    const home = `/ui/devices/${segment(name)}`;
    const act = (word: "approve" | "block" | "unblock") => ({
        act: (reason: string) => call<Device>("POST", `${path}/${word}`, { body: reason ? { reason } : {} }),
        close: () => setAsking(null),
    });
    return (
        <Page title={name} crumbs={[{ name: text.devices.title, to: "/ui/devices" }]}
            pills={data && <><StatePill state={data.state} />{data.entry && <Pill>{data.entry.kind === "group" ? text.devices.group(data.entry.id) : text.connect.types.individual}</Pill>}</>}
            actions={(
                <>
                    <Button appearance="primary" icon={<ConnectIcon />} onClick={() => setParams({ connect: "1" })}>{words.connect}</Button>
                    {data && data.state === "waiting-for-approval" && <Act needs="device.write" onClick={() => setAsking("approve")}>{text.devices.approve}</Act>}
                    {data && (data.blocked
                        ? <Act needs="device.write" onClick={() => setAsking("unblock")}>{text.devices.unblock}</Act>
                        : <Act needs="device.write" onClick={() => setAsking("block")}>{text.devices.block}</Act>)}
                    {data && (
                        <Menu>
                            <MenuTrigger disableButtonEnhancement><Tooltip content={text.common.more} relationship="label"><Button icon={<MoreIcon />} /></Tooltip></MenuTrigger>
                            <MenuPopover><MenuList><MenuItem disabled={!mayWrite} onClick={() => setAsking("delete")}>{text.common.delete}</MenuItem></MenuList></MenuPopover>
                        </Menu>
                    )}
                </>
            )}>
            <ErrorBar refused={device.error} retry={() => void device.refetch()} />
            {device.isPending && <div className="card"><Loading lines={6} /></div>}
            {data === null && <NotADevice id={params.get("registration") ?? name} />}
            {data && (
                <>
                    <Tabs label={name} tabs={[
                        { to: home, name: words.tabs.overview, end: true },
                        { to: `${home}/history`, name: words.tabs.history },
                        { to: `${home}/telemetry`, name: words.tabs.telemetry },
                        { to: `${home}/twin`, name: words.tabs.twin },
                        { to: `${home}/commands`, name: words.tabs.commands },
                    ]} />
                    <Suspense fallback={<div className="card"><Loading /></div>}>
                        {tab === "overview" && <Overview device={data} />}
                        {tab === "history" && <History device={data} />}
                        {tab === "telemetry" && <Telemetry id={data.id} />}
                        {tab === "twin" && <TwinView id={data.id} />}
                        {tab === "commands" && <Commands id={data.id} />}
                    </Suspense>
                </>
            )}
            {params.get("connect") && device.data !== undefined && (
                <ConnectPanel name={name} registrationId={params.get("registration") ?? data?.registrationId ?? name} device={data ?? null}
                    startIndividual={params.get("as") === "individual"} close={() => setParams({}, { replace: true })} />
            )}
            {asking === "approve" && <ConfirmDialog title={words.approveTitle(name)} action={text.devices.approve} done={() => toast(text.devices.approved(name))} {...act("approve")}><p>{words.approveLead}</p></ConfirmDialog>}
            {asking === "unblock" && <ConfirmDialog title={words.unblockTitle(name)} action={text.devices.unblock} done={() => toast(text.devices.unblocked(name))} {...act("unblock")}><p>{words.unblockLead}</p></ConfirmDialog>}
            {asking === "block" && <ConfirmDialog title={words.blockTitle(name)} action={text.devices.block} danger done={() => toast(text.devices.blocked(name))} {...act("block")}><p>{words.blockLead}</p></ConfirmDialog>}
            {asking === "delete" && (
                <ConfirmDialog<Deleted> title={words.deleteTitle(name)} action={text.common.delete} danger close={() => setAsking(null)} gone={path}
                    done={() => { toast(text.devices.deleted(name)); navigate("/ui/devices"); }}
                    act={(reason) => call("DELETE", path, { query: { reason } })} preview={() => call<Preview>("DELETE", path, { query: { dryRun: true } })} previewKey={name}>
                    <p>{words.deleteLead}</p>
                </ConfirmDialog>
            )}
        </Page>
    );
}
