// SPDX-License-Identifier: Apache-2.0
import { Field, Select } from "@fluentui/react-components";
import type { Role } from "../api/schema.ts";
import { text } from "../text.ts";
import { roles } from "./access_tabs.tsx";

export function RoleChoice({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
    return (
        <Field label={text.access.role} hint={text.access.roleSays[role]} required>
            <Select value={role} onChange={(_, data) => onChange(data.value as Role)}>
                {roles.map((one) => <option key={one} value={one}>{text.access.roles[one]}</option>)}
            </Select>
        </Field>
    );
}
