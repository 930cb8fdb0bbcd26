// SPDX-License-Identifier: Apache-2.0
// Fields that ask when the typing pauses.
import { SearchBox } from "@fluentui/react-components";
import { useEffect, useRef, useState } from "react";

/** What stands in such a field, and how it changes. A value that comes from elsewhere (back, clear) replaces it. */
export function useTyped(value: string, onChange: (value: string) => void): [string, (typed: string) => void] {
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
    return [typed, setTyped];
}

export function Search({ value, onChange, label }: { value: string; onChange: (value: string) => void; label: string }) {
    const [typed, setTyped] = useTyped(value, onChange);
    return <SearchBox value={typed} placeholder={label} aria-label={label} onChange={(_, data) => setTyped(data.value ?? "")} style={{ minWidth: 220, maxWidth: 360, flex: 1 }} />;
}
