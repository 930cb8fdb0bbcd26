// SPDX-License-Identifier: Apache-2.0
// Months as grids of days. All days are UTC's, as the server counts them.

const day = 86_400_000;

export type Month = {
    /** yyyy-mm */
    key: string;
    /** Any moment in it, for its name. */
    at: Date;
    /** Empty places before the first, a week beginning on Monday. */
    before: number;
    /** yyyy-mm-dd, in order. */
    days: string[];
};

export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

export function months(from: number, count: number): Month[] {
    const first = new Date(from);
    return Array.from({ length: count }, (_, ahead) => {
        const begin = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + ahead, 1);
        const end = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + ahead + 1, 1);
        const days: string[] = [];
        for (let at = begin; at < end; at += day) days.push(dayOf(at));
        return { key: dayOf(begin).slice(0, 7), at: new Date(begin), before: (new Date(begin).getUTCDay() + 6) % 7, days };
    });
}

export type Ending = { day: string; caCertificates: number; deviceCertificates: number };

/** What has ended before today, and what ends from today on, in order of days. */
export function divide(endings: Ending[], today: string): { past: Ending[]; coming: Ending[] } {
    const sorted = [...endings].sort((a, b) => a.day.localeCompare(b.day));
    return { past: sorted.filter((one) => one.day < today), coming: sorted.filter((one) => one.day >= today) };
}

export function sum(endings: Ending[]): { caCertificates: number; deviceCertificates: number } {
    return endings.reduce((all, one) => ({
        caCertificates: all.caCertificates + one.caCertificates,
        deviceCertificates: all.deviceCertificates + one.deviceCertificates,
    }), { caCertificates: 0, deviceCertificates: 0 });
}
