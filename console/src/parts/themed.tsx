// SPDX-License-Identifier: Apache-2.0
// Light or dark: as the system, until somebody says otherwise.
import { FluentProvider } from "@fluentui/react-components";
import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import { dark, light, storedTheme, storeTheme, type ThemeChoice } from "../theme.ts";

const Context = createContext<{ choice: ThemeChoice; choose: (choice: ThemeChoice) => void; isDark: boolean }>({
    choice: "system", choose: () => undefined, isDark: false,
});

export const useThemeChoice = () => useContext(Context);

const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

function watch(watcher: () => void): () => void {
    darkSystem.addEventListener("change", watcher);
    return () => darkSystem.removeEventListener("change", watcher);
}

export function Themed({ children }: { children: ReactNode }) {
    const [choice, setChoice] = useState<ThemeChoice>(storedTheme);
    const system = useSyncExternalStore(watch, () => darkSystem.matches);
    const isDark = choice === "dark" || (choice === "system" && system);
    useEffect(() => {
        document.documentElement.style.colorScheme = isDark ? "dark" : "light";
    }, [isDark]);
    const value = useMemo(() => ({
        choice, isDark, choose: (next: ThemeChoice) => { storeTheme(next); setChoice(next); },
    }), [choice, isDark]);
    return (
        <Context.Provider value={value}>
            <FluentProvider theme={isDark ? dark : light} className="app-root">{children}</FluentProvider>
        </Context.Provider>
    );
}
