// SPDX-License-Identifier: Apache-2.0
import { Choices } from "../parts/choice.tsx";
import { text } from "../text.ts";

export type KeyMode = "plain" | "replaceNow" | "breach";

export function KeyModes({ mode, onChange }: { mode: KeyMode; onChange: (mode: KeyMode) => void }) {
    return (
        <Choices label={text.keyModes.label} value={mode} onChange={onChange}
            choices={(["plain", "replaceNow", "breach"] as const).map((one) => ({ value: one, title: text.keyModes[one], says: text.keyModes.says[one], danger: one === "breach" }))} />
    );
}
