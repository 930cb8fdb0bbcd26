// SPDX-License-Identifier: Apache-2.0
// Which role, with a sentence for each and the whole table of what each may.
import { Field } from "@fluentui/react-components";
import type { Role } from "../api/schema.ts";
import { CheckSmallIcon } from "../icons.ts";
import { permissions, roleMay, roles } from "../lib/roles.ts";
import { Choices } from "../parts/choice.tsx";
import { text } from "../text.ts";

const words = text.access;

function RoleMatrix() {
    return (
        <div className="small-table matrix focus" tabIndex={0} role="region" aria-label={words.matrix}>
            <table>
                <thead>
                    <tr><th scope="col">{words.permission}</th>{roles.map((role) => <th key={role} scope="col" className="mark">{words.roles[role]}</th>)}</tr>
                </thead>
                <tbody>
                    {permissions.map((permission) => (
                        <tr key={permission.name}>
                            <th scope="row"><span className="mono">{permission.name}</span><span className="quiet small">{words.permissionSays[permission.name]}</span></th>
                            {roles.map((role) => (
                                <td key={role} className="mark">
                                    {roleMay(role, permission.least)
                                        ? <><CheckSmallIcon aria-hidden /><span className="sr">{text.common.yes}</span></>
                                        : <><span className="quiet" aria-hidden>–</span><span className="sr">{text.common.no}</span></>}
                                </td>
                            ))}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

export function RoleChoice({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
    return (
        <Field label={words.role} required>
            <div className="stack" style={{ gap: 8 }}>
                <Choices<Role> label={words.role} value={role} onChange={onChange} choices={roles.map((one) => ({ value: one, title: words.roles[one], says: words.roleSays[one] }))} />
                <details className="small">
                    <summary>{words.matrix}</summary>
                    <RoleMatrix />
                </details>
            </div>
        </Field>
    );
}
