// SPDX-License-Identifier: Apache-2.0
// A device that is to have an individual enrollment: its name here, its certificates in Connect.
import { Field, Input } from "@fluentui/react-components";
import { useState } from "react";
import { useNavigate } from "react-router-dom";
import { segment } from "../api/client.ts";
import { FormDialog } from "../parts/confirm.tsx";
import { text } from "../text.ts";

export function NewDevice({ close }: { close: () => void }) {
    const navigate = useNavigate();
    const [name, setName] = useState("");
    return (
        <FormDialog title={text.devices.newTitle} action={text.common.next} ready={name.trim() !== ""} busy={false} refused={null} close={close}
            submit={() => navigate(`/ui/devices/${segment(name.trim())}?connect=1&as=individual`)}>
            <p className="quiet">{text.devices.newLead}</p>
            <Field label={text.devices.registrationId} hint={text.devices.registrationIdHint} required>
                <Input value={name} autoFocus maxLength={128} onChange={(_, data) => setName(data.value)} />
            </Field>
        </FormDialog>
    );
}
