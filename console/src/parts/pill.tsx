// SPDX-License-Identifier: Apache-2.0
// A word with a colour. The colour repeats what the word says, and says nothing alone.
import type { ReactNode } from "react";
import { BadSmallIcon, ClockSmallIcon, GoodSmallIcon, InfoSmallIcon, WarnSmallIcon } from "../icons.ts";
import { text } from "../text.ts";
import type { DeviceState } from "../api/schema.ts";

type PillTone = "good" | "warn" | "bad" | "info" | "plain";

const pictures = { good: <GoodSmallIcon />, warn: <WarnSmallIcon />, bad: <BadSmallIcon />, info: <InfoSmallIcon />, plain: null };

export function Pill({ tone = "plain", children, bare, picture }: { tone?: PillTone; children: ReactNode; bare?: boolean; picture?: ReactNode }) {
    return (
        <span className={`pill ${tone}`}>
            {picture ?? (bare ? null : pictures[tone])}
            {children}
        </span>
    );
}

export function StatePill({ state }: { state: DeviceState }) {
    const tone = ({ registered: "info", provisioned: "good", "waiting-for-approval": "warn", blocked: "bad" } as const)[state];
    return <Pill tone={tone} picture={state === "waiting-for-approval" ? <ClockSmallIcon /> : undefined}>{text.states[state]}</Pill>;
}
