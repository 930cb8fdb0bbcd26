// SPDX-License-Identifier: Apache-2.0
// Three steps to the first device, each with a command that has been run as it stands here.
import { Button } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { Link } from "react-router-dom";
import { useAll } from "../api/hooks.ts";
import type { CaCertificate, Overview, Server } from "../api/schema.ts";
import { DownloadIcon } from "../icons.ts";
import { first } from "../lib/commands.ts";
import { download } from "../lib/files.ts";
import { Command } from "../parts/copy.tsx";
import { Card } from "../parts/page.tsx";
import { Pill } from "../parts/pill.tsx";
import { useCan } from "../parts/session.tsx";
import { Note } from "../parts/states.tsx";
import { text } from "../text.ts";
import { doorAddress } from "./door_address.ts";

const words = text.dashboard.first;

function Step({ title, lead, done, children }: { title: string; lead: string; done: boolean; children: ReactNode }) {
    return (
        <li className={done ? "done" : ""}>
            <div className="stack" style={{ gap: 8 }}>
                <div className="row"><h3 className="h3">{title}</h3>{done && <Pill tone="good">{words.done}</Pill>}</div>
                <p className="quiet">{lead}</p>
                {children}
            </div>
        </li>
    );
}

export function FirstSteps({ overview, server }: { overview: Overview; server: Server | undefined }) {
    const mayCas = useCan("ca.read");
    const mayWrite = useCan("group.write");
    const authorities = useAll<CaCertificate>("/ca-certificates", {}, { enabled: mayCas, every: 10_000 });
    const inGroup = authorities.data?.some((one) => one.usedBy.length > 0) ?? false;
    const proved = authorities.data?.some((one) => one.usedBy.length > 0 && one.attests) ?? false;
    const door = server ? doorAddress(server, "device-https") : null;
    const ca = server?.serverCa ?? null;
    return (
        <Card title={words.title}>
            <div className="stack wide">
                <p className="quiet">{words.lead}</p>
                {!mayWrite && <Note tone="info">{words.viewer}</Note>}
                <ol className="steps">
                    <Step title={words.makeTitle} lead={words.makeLead} done={inGroup}>
                        <Command value={first.make} what={words.makeTitle} />
                        <p className="quiet small">{words.orHere} <Link className="link" to="/ui/device-connection/groups">{text.connection.groups}</Link></p>
                    </Step>
                    <Step title={words.proveTitle} lead={words.proveLead} done={proved}>
                        <Command value={first.prove} what={words.proveTitle} />
                    </Step>
                    <Step title={words.connectTitle} lead={words.connectLead} done={overview.devices.total > 0}>
                        <Command value={first.connect(server?.scopeId ?? "SCOPE", door ?? "localhost:8443", ca !== null)} what={words.connectTitle} />
                        {ca && (
                            <div className="row">
                                <Button size="small" icon={<DownloadIcon />} onClick={() => download("rollcall-ca.pem", ca, "application/x-pem-file")}>{words.serverCa}</Button>
                                <span className="quiet small">{words.serverCaHint}</span>
                            </div>
                        )}
                        {!door && server && <Note tone="warn">{words.noDoor}</Note>}
                    </Step>
                </ol>
                <p className="quiet small">{words.where}</p>
            </div>
        </Card>
    );
}
