// SPDX-License-Identifier: Apache-2.0
// How pages ask: one record, a list page by page, a change.
import {
    keepPreviousData,
    useInfiniteQuery,
    useMutation,
    useQuery,
    useQueryClient,
    type UseQueryResult,
} from "@tanstack/react-query";
import { useCallback, useRef } from "react";
import { idle } from "../lib/activity.ts";
import { all, get, Refused } from "./client.ts";

type Values = Record<string, string | number | boolean | null | undefined>;
export type Page<T> = { items: T[]; next: string | null; total?: number };

const pageSize = 200;

type Options = { enabled?: boolean; every?: number | false; stale?: number; keep?: boolean };

/** Nobody there: nothing is asked again until somebody comes back. */
const whileThere = (every: number | false | undefined) => () => (every && !idle() ? every : false);

export function useOne<T>(path: string, query: Values = {}, options: Options = {}): UseQueryResult<T, Refused> {
    return useQuery<T, Refused>({
        queryKey: [path, query],
        queryFn: ({ signal }) => get<T>(path, query, signal),
        enabled: options.enabled ?? true,
        refetchInterval: whileThere(options.every),
        ...(options.stale === undefined ? {} : { staleTime: options.stale }),
        ...(options.keep ? { placeholderData: keepPreviousData } : {}),
    });
}

/** The whole of a list that is short by nature: groups, CA certificates, users. */
export function useAll<T>(path: string, query: Values = {}, options: Options = {}): UseQueryResult<T[], Refused> {
    return useQuery<T[], Refused>({
        queryKey: [path, query, "all"],
        queryFn: ({ signal }) => all<T>(path, query, undefined, signal),
        enabled: options.enabled ?? true,
        refetchInterval: whileThere(options.every),
    });
}

/** A long list; the next page is asked for when somebody scrolls there. */
export function usePages<T>(path: string, query: Values = {}, options: Options = {}) {
    return useInfiniteQuery<Page<T>, Refused, { items: T[]; total: number | undefined }, unknown[], string | null>({
        queryKey: [path, query, "pages"],
        queryFn: ({ pageParam, signal }) => get<Page<T>>(path, { limit: pageSize, ...query, after: pageParam }, signal),
        initialPageParam: null,
        getNextPageParam: (last) => last.next,
        select: (data) => ({
            items: data.pages.flatMap((page) => page.items),
            total: data.pages[0]?.total,
        }),
        enabled: options.enabled ?? true,
        // Who has scrolled far reads; asking for all of it again and again is no help.
        refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 3 ? false : whileThere(options.every)()),
        placeholderData: keepPreviousData,
    });
}

/** What a change would do was asked for one state of things; after the change nobody wants to know. */
const asked = new Set(["preview", "slot-preview", "enrollment-preview", "completes", "inspect", "inspect-ca", "sign-in-methods"]);

/**
 * Changes are rare and reach far (a slot changes a dashboard): afterwards everything is asked anew.
 * `gone`: the path of a record that the change deletes, which is not asked for again.
 */
export function useChange<In, Out>(act: (input: In) => Promise<Out>, done?: (out: Out, input: In) => void, gone?: string) {
    const client = useQueryClient();
    const under = useRef(false);
    const change = useMutation<Out, Refused, In>({
        mutationFn: act,
        onSuccess: (out, input) => {
            done?.(out, input);
            void client.invalidateQueries({
                predicate: ({ queryKey: [path] }) => !asked.has(String(path)) && !(gone && String(path).startsWith(gone)),
            });
        },
        onError: (refused) => {
            // Somebody else was faster: show what is there now.
            if (refused.status !== 412 && refused.status !== 409 && refused.status !== 404) return;
            void client.invalidateQueries({ predicate: ({ queryKey: [path] }) => !asked.has(String(path)) });
        },
        onSettled: () => {
            under.current = false;
        },
    });
    // Two quick clicks are one: the button is disabled only with the next picture.
    const mutate = useCallback((input: In) => {
        if (under.current) return;
        under.current = true;
        change.mutate(input);
    }, [change.mutate]);
    return { ...change, mutate };
}
