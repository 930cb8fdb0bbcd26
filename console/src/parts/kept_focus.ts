// SPDX-License-Identifier: Apache-2.0
// A control that goes away with what it did takes the focus along, and Escape then closes nothing.
// The panel catches it.
import { useEffect, useRef, type RefObject } from "react";

/** What opened a panel or dialog has the focus again when that closes. */
export function useReturnedFocus(): void {
    const opener = useRef(document.activeElement);
    useEffect(() => () => {
        setTimeout(() => {
            if (document.activeElement !== document.body) return;
            const back = opener.current;
            if (back instanceof HTMLElement && back.isConnected && back !== document.body) back.focus();
            // Where another panel lies open, that catches it: the page behind must not take it.
            const covered = document.querySelector("[role=dialog], [role=alertdialog]") !== null;
            if (document.activeElement === document.body && !covered) document.getElementById("page-title")?.focus();
        }, 120);
    }, []);
}

export function useKeptFocus<E extends HTMLElement>(): RefObject<E> {
    useReturnedFocus();
    const catcher = useRef<E>(null);
    // After every rendering, on purpose: what went away went with one.
    useEffect(() => {
        const timer = setTimeout(() => {
            if (document.activeElement === document.body) catcher.current?.focus();
        }, 150);
        return () => clearTimeout(timer);
    });
    return catcher;
}
