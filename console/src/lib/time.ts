// SPDX-License-Identifier: Apache-2.0
// Times and spans in words. Pure: the time now is an argument.

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** 2026-01-31 10:20:30 UTC */
export function utc(iso: string): string {
    const at = new Date(iso);
    return Number.isNaN(at.getTime()) ? iso : `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ["year", 365 * day],
    ["month", 30 * day],
    ["day", day],
    ["hour", hour],
    ["minute", minute],
];

/** "in 3 months", "2 minutes ago", "now". */
export function relative(iso: string, now: number, language?: string): string {
    const span = new Date(iso).getTime() - now;
    if (Number.isNaN(span)) return iso;
    const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
    const counted = new Intl.RelativeTimeFormat(language, { numeric: "always" });
    for (const [unit, length] of units) {
        // "Next year" may be tomorrow or in two years: below two of them months are told.
        const from = unit === "year" ? 2 * length : length;
        if (Math.abs(span) >= from) return (unit === "year" || unit === "month" ? counted : words).format(Math.trunc(span / length + Math.sign(span) * 0.1), unit);
    }
    return Math.abs(span) < 10_000 ? words.format(0, "second") : words.format(Math.trunc(span / 1000), "second");
}

/** How much of a validity is over, 0 to 1. */
export function spent(notBefore: string, notAfter: string, now: number): number {
    const from = new Date(notBefore).getTime();
    const to = new Date(notAfter).getTime();
    if (!(to > from)) return 1;
    return Math.min(1, Math.max(0, (now - from) / (to - from)));
}

export type Standing = "future" | "good" | "soon" | "expired";

/** "Soon": within 30 days, or within a tenth of its life for what lives shorter than 300 days. */
export function standing(notBefore: string, notAfter: string, now: number): Standing {
    const from = new Date(notBefore).getTime();
    const to = new Date(notAfter).getTime();
    const end = standingAtEnd(notAfter, now, Math.min(30 * day, (to - from) / 10));
    return now < from && end !== "expired" ? "future" : end;
}

/** The same where only the end is known. `soon`: how long before it. */
export function standingAtEnd(notAfter: string, now: number, soon = 30 * day): Exclude<Standing, "future"> {
    const to = new Date(notAfter).getTime();
    if (now > to) return "expired";
    return to - now <= soon ? "soon" : "good";
}
