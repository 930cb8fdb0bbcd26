// SPDX-License-Identifier: Apache-2.0
// Something that is shown once.
import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { text } from "../text.ts";
import { CopyButton } from "./copy.tsx";
import { Note } from "./states.tsx";

export function SecretDialog({ title, lead, secrets, close, action }: { title: string; lead?: string; secrets: { name: string; value: string }[]; close: () => void; action: string }) {
    return (
        <Dialog open modalType="alert">
            <DialogSurface style={{ maxWidth: 680 }}>
                <DialogBody>
                    <DialogTitle>{title}</DialogTitle>
                    <DialogContent>
                        <div className="stack">
                            {lead && <Note tone="warn">{lead}</Note>}
                            {secrets.map((secret) => (
                                <div key={secret.name} className="stack tight">
                                    <span className="strong small">{secret.name}</span>
                                    <div className="command"><code className="grow wrap">{secret.value}</code><CopyButton value={secret.value} what={secret.name} label={text.common.copy} /></div>
                                </div>
                            ))}
                        </div>
                    </DialogContent>
                    <DialogActions><Button appearance="primary" onClick={close}>{action}</Button></DialogActions>
                </DialogBody>
            </DialogSurface>
        </Dialog>
    );
}
