// SPDX-License-Identifier: Apache-2.0
// How the native API is spoken to, whoever asks. Imports nothing: early.ts asks before all else.

export const root = "/api/v1";

/** Of every request: the session's cookie goes along, and nothing is kept. */
export const manners = { credentials: "same-origin", cache: "no-store" } as const;
export const wantsJson = { Accept: "application/json" };
