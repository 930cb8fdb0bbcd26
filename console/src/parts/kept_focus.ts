// SPDX-License-Identifier: Apache-2.0
// A control that goes away with what it did takes the focus along, and Escape then closes nothing.
// The panel catches it.
import { useEffect, useRef, type RefObject } from "react";

export function useKeptFocus<E extends HTMLElement>(): RefObject<E> {
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
