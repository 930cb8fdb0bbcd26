// SPDX-License-Identifier: Apache-2.0
// A search field that asks when the typing pauses.
import { SearchBox } from "@fluentui/react-components";
import { useEffect, useRef, useState } from "react";

export function Search({ value, onChange, label }: { value: string; onChange: (value: string) => void; label: string }) {
    const [typed, setTyped] = useState(value);
    const told = useRef(value);
    useEffect(() => {
        if (value !== told.current) {
            told.current = value;
            setTyped(value);
        }
    }, [value]);
    useEffect(() => {
        if (typed === told.current) return undefined;
        const timer = setTimeout(() => {
            told.current = typed;
            onChange(typed.trim());
        }, 250);
        return () => clearTimeout(timer);
    }, [typed, onChange]);
    return <SearchBox value={typed} placeholder={label} aria-label={label} onChange={(_, data) => setTyped(data.value ?? "")} style={{ minWidth: 220, maxWidth: 360, flex: 1 }} />;
}
