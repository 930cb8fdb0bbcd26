// SPDX-License-Identifier: Apache-2.0
// Is somebody there? Pages ask again by themselves only while somebody is: else a window left open
// would keep its session from ever ending for want of use.

const quietAfter = 15 * 60_000;
let last = Date.now();
let asleep = false;
const wakers = new Set<() => void>();

function heard(): void {
    last = Date.now();
    if (!asleep) return;
    asleep = false;
    wakers.forEach((waker) => waker());
}

for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    window.addEventListener(kind, heard, { passive: true, capture: true });
}

export function idle(): boolean {
    if (Date.now() - last > quietAfter) asleep = true;
    return asleep;
}

/** Called when somebody comes back. */
export function onWake(waker: () => void): () => void {
    wakers.add(waker);
    return () => wakers.delete(waker);
}
