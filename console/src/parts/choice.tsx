// SPDX-License-Identifier: Apache-2.0
// Choices that deserve a sentence each.
import { Radio, RadioGroup } from "@fluentui/react-components";

export function Choices<Word extends string>({ label, value, onChange, choices }: {
    label: string;
    value: Word;
    onChange: (value: Word) => void;
    choices: { value: Word; title: string; says?: string; danger?: boolean }[];
}) {
    return (
        <RadioGroup aria-label={label} value={value} onChange={(_, data) => onChange(data.value as Word)} className="choices" style={{ display: "grid", gap: 8 }}>
            {choices.map((choice) => (
                <Radio key={choice.value} value={choice.value}
                    className={`choice${value === choice.value ? " on" : ""}${choice.danger ? " danger" : ""}`}
                    label={(
                        <span style={{ display: "block" }}>
                            <span className="strong" style={{ display: "block" }}>{choice.title}</span>
                            {choice.says && <span className="say" style={{ display: "block" }}>{choice.says}</span>}
                        </span>
                    )} />
            ))}
        </RadioGroup>
    );
}
