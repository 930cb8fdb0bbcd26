// SPDX-License-Identifier: Apache-2.0
// This server: its scope, doors, hubs and allocation; and how the console looks.
import { Field, Input, Radio, RadioGroup, Select, Switch } from "@fluentui/react-components";
import { useState } from "react";
import { call, segment } from "../api/client.ts";
import { useAll, useChange, useOne } from "../api/hooks.ts";
import { root } from "../api/request.ts";
import type { Allocation, AllocationChange, AllocationUpdate, Deleted, LinkedHub, LinkedHubAdd, LinkedHubChange, Preview, Server } from "../api/schema.ts";
import { AddIcon, DownloadIcon, EditIcon } from "../icons.ts";
import { download } from "../lib/files.ts";
import { Act } from "../parts/act.tsx";
import { ConfirmDialog, FormDialog } from "../parts/confirm.tsx";
import { CopyButton } from "../parts/copy.tsx";
import { Card, Facts, Page } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { Asked, ErrorBar, Loading, Note } from "../parts/states.tsx";
import { useThemeChoice } from "../parts/themed.tsx";
import { Time } from "../parts/time.tsx";
import { useToast } from "../parts/toast.tsx";
import { text } from "../text.ts";
import type { ThemeChoice } from "../theme.ts";
import { Button } from "@fluentui/react-components";

const words = text.settings;

function EditAllocation({ allocation, close }: { allocation: Allocation; close: () => void }) {
    const toast = useToast();
    const [policy, setPolicy] = useState<string>(allocation.allocationPolicy ?? "hashed");
    const save = useChange<AllocationUpdate, AllocationChange>((body) => call("PATCH", "/allocation", { body }), () => { toast(words.saved); close(); });
    return (
        <FormDialog title={words.allocation} action={text.common.save} ready busy={save.isPending} refused={save.error} close={close} submit={() => save.mutate({ allocationPolicy: policy as "hashed" | "geoLatency" | "static" })}>
            <Field label={words.policy}>
                <Select value={policy} onChange={(_, data) => setPolicy(data.value)}>
                    {(["hashed", "geoLatency", "static"] as const).map((one) => <option key={one} value={one}>{text.allocation[one]}</option>)}
                </Select>
            </Field>
        </FormDialog>
    );
}

function LinkHub({ close }: { close: () => void }) {
    const toast = useToast();
    const [name, setName] = useState("");
    const [own, setOwn] = useState(false);
    const link = useChange<LinkedHubAdd, LinkedHubChange>((body) => call("POST", "/hubs", { body }), () => { toast(words.saved); close(); });
    return (
        <FormDialog title={words.linkTitle} action={words.linkHub} ready={name.trim() !== ""} busy={link.isPending} refused={link.error} close={close} submit={() => link.mutate({ name: name.trim(), own })}>
            <Field label={words.hubName} required><Input value={name} autoFocus onChange={(_, data) => setName(data.value)} /></Field>
            <Switch checked={own} label={words.ownHub} onChange={(_, data) => setOwn(data.checked)} />
        </FormDialog>
    );
}

function Hubs() {
    const hubs = useAll<LinkedHub>("/hubs");
    const [linking, setLinking] = useState(false);
    const [unlinking, setUnlinking] = useState<LinkedHub | null>(null);
    return (
        <Card title={words.hubs} aside={<Act size="small" needs="hub.write" icon={<AddIcon />} onClick={() => setLinking(true)}>{words.linkHub}</Act>}>
            <ErrorBar refused={hubs.error} retry={() => void hubs.refetch()} />
            {hubs.isPending && <Loading lines={2} />}
            <div className="list">
                {hubs.data?.map((hub) => (
                    <div className="item" key={hub.name}>
                        <div className="grow stack tight">
                            <span className="row"><span className="strong wrap">{hub.name}</span>{hub.own && <Pill tone="info">{words.own}</Pill>}</span>
                            <span className="quiet small">{words.weight} {hub.weight}, {hub.allocate ? words.allocates : words.keeps}</span>
                        </div>
                        {!hub.own && <Act size="small" needs="hub.write" onClick={() => setUnlinking(hub)}>{words.unlink}</Act>}
                    </div>
                ))}
            </div>
            {linking && <LinkHub close={() => setLinking(false)} />}
            {unlinking && (
                <ConfirmDialog<Deleted> title={words.unlinkTitle(unlinking.name)} action={words.unlink} danger close={() => setUnlinking(null)}
                    act={(reason) => call("DELETE", `/hubs/${segment(unlinking.name)}`, { query: { reason }, ifMatch: unlinking.etag })}
                    preview={() => call<Preview>("DELETE", `/hubs/${segment(unlinking.name)}`, { query: { dryRun: true } })} previewKey={unlinking.name}><p>{words.unlinkLead}</p></ConfirmDialog>
            )}
        </Card>
    );
}

export default function Settings() {
    const server = useOne<Server>("/server");
    const allocation = useOne<Allocation>("/allocation");
    const { choice, choose } = useThemeChoice();
    const [editing, setEditing] = useState(false);
    const off = server.data ? Math.round((new Date(server.data.time).getTime() - server.dataUpdatedAt) / 1000) : 0;
    return (
        <Page title={words.title} lead={words.lead}>
            {Math.abs(off) > 60 && <Note tone="warn">{words.clockOff(Math.abs(off))}</Note>}
            <div className="cards">
                <div className="stack wide">
                    <Asked query={server}>
                        {(data) => (
                            <>
                                <Card title={words.server}>
                                    <Facts facts={[
                                        [words.scope, <span className="row nowrap" style={{ gap: 2 }}><span className="mono">{data.scopeId}</span><CopyButton value={data.scopeId} what={words.scope} /></span>],
                                        [words.hub, <span className="row nowrap" style={{ gap: 2 }}><span className="mono wrap">{data.hub}</span><CopyButton value={data.hub} what={words.hub} /></span>],
                                        [words.version, data.version],
                                        [words.started, <Time at={data.started} />],
                                        data.names?.length ? [words.names, data.names.join(", ")] : null,
                                        [words.api, <a className="link" href={`${root}/openapi.json`} target="_blank" rel="noreferrer">{root}/openapi.json</a>],
                                    ]} />
                                </Card>
                                <Card title={words.doors}>
                                    <Facts facts={data.doors.map((door) => [words.door[door.name] ?? door.name, <span className="mono">{door.address}</span>])} />
                                </Card>
                                <Card title={words.ca}>
                                    {data.serverCa ? (
                                        <div className="row">
                                            <Button icon={<DownloadIcon />} onClick={() => download("rollcall-ca.pem", data.serverCa ?? "", "application/x-pem-file")}>{text.connect.downloadCa}</Button>
                                            <span className="quiet small">{words.caLead}</span>
                                        </div>
                                    ) : <p className="quiet">{words.caNone}</p>}
                                </Card>
                            </>
                        )}
                    </Asked>
                </div>
                <div className="stack wide">
                    <Card title={words.appearance}>
                        <RadioGroup aria-label={text.nav.theme} value={choice} onChange={(_, data) => choose(data.value as ThemeChoice)}>
                            {(["system", "light", "dark"] as const).map((one) => <Radio key={one} value={one} label={text.nav.themes[one]} />)}
                        </RadioGroup>
                    </Card>
                    <Hubs />
                    <Asked query={allocation} lines={2}>
                        {(data) => (
                            <Card title={words.allocation} aside={<Act size="small" needs="hub.write" icon={<EditIcon />} onClick={() => setEditing(true)}>{words.edit}</Act>}>
                                <div className="stack">
                                    <p className="quiet">{words.allocationLead}</p>
                                    <Facts facts={[
                                        [words.policy, text.allocation[data.allocationPolicy ?? "hashed"]],
                                        [words.hubs, data.iotHubs.length ? data.iotHubs.join(", ") : text.group.allHubs],
                                    ]} />
                                </div>
                                {editing && <EditAllocation allocation={data} close={() => setEditing(false)} />}
                            </Card>
                        )}
                    </Asked>
                </div>
            </div>
        </Page>
    );
}
