// SPDX-License-Identifier: Apache-2.0
// What every first page needs from the server is asked for before anything else runs, and comes
// while the rest of the program is still being read: who is signed in, else how one may sign in.
// A file of its own, first among what is loaded, so that nothing runs before it.
import { manners, root, wantsJson } from "./api/request.ts";

const asked = new Map<string, Promise<Response>>();

function ask(address: string): Promise<Response> {
    const answer = fetch(address, { headers: wantsJson, ...manners });
    asked.set(address, answer);
    // Whoever takes it hears of a failure.
    answer.catch(() => undefined);
    return answer;
}

void ask(`${root}/session`).then((who) => (who.status === 401 ? ask(`${root}/sign-in-methods`) : null)).catch(() => undefined);

/** The answer that is under way or here, once. */
export function takeEarly(address: string): Promise<Response> | undefined {
    const answer = asked.get(address);
    asked.delete(address);
    return answer;
}
