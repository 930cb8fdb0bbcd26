// SPDX-License-Identifier: Apache-2.0
// A list of any length: only the rows in sight are in the page, and the next page is asked for when
// somebody comes near the end. What is searched for and filtered by is the server's business.
import { Button, Checkbox, Spinner } from "@fluentui/react-components";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { Refused } from "../api/client.ts";
import { text } from "../text.ts";
import { ErrorBar, Loading } from "./states.tsx";

export type Column<T> = {
    key: string;
    name: string;
    /** A track of a grid: "minmax(160px, 2fr)". */
    width: string;
    show: (row: T) => ReactNode;
    /** Left out where the list is narrower than this many pixels. */
    from?: number;
};

type Selection = { chosen: ReadonlySet<string>; change: (chosen: Set<string>) => void };

const rowHeight = 46;

export function VirtualTable<T>({ label, rows, columns, id, pending, refused, retry, more, loadMore, loadingMore, total, selection, tools, empty }: {
    label: string;
    rows: T[] | undefined;
    columns: Column<T>[];
    id: (row: T) => string;
    pending: boolean;
    refused?: Refused | null;
    retry?: () => void;
    more?: boolean;
    loadMore?: () => void;
    loadingMore?: boolean;
    total?: number;
    selection?: Selection;
    /** Search, filters; what can be done with the selection. */
    tools?: ReactNode;
    /** What stands there where there is nothing. */
    empty: ReactNode;
}) {
    const box = useRef<HTMLDivElement>(null);
    const [width, setWidth] = useState(1200);
    useLayoutEffect(() => {
        const element = box.current;
        if (!element) return undefined;
        const watcher = new ResizeObserver(() => setWidth(element.clientWidth));
        watcher.observe(element);
        setWidth(element.clientWidth);
        return () => watcher.disconnect();
    }, []);
    const count = rows?.length ?? 0;
    const virtual = useVirtualizer({
        count,
        getScrollElement: () => box.current,
        estimateSize: () => rowHeight,
        overscan: 12,
        scrollPaddingStart: 40,
    });
    const items = virtual.getVirtualItems();
    const last = items.at(-1)?.index ?? 0;
    useEffect(() => {
        if (more && !loadingMore && count > 0 && last >= count - 30) loadMore?.();
    }, [more, loadingMore, count, last, loadMore]);

    const shown = columns.filter((column) => !column.from || width >= column.from);
    const tracks = `${selection ? "34px " : ""}${shown.map((column) => column.width).join(" ")}`;
    const chosen = selection?.chosen;
    // Drawn at every step of scrolling; counted when there is something else to count.
    const chosenHere = useMemo(() => (chosen?.size && rows ? rows.reduce((n, row) => n + (chosen.has(id(row)) ? 1 : 0), 0) : 0),
        [chosen, rows]);
    const toggleAll = (on: boolean) => {
        if (!selection || !rows) return;
        const chosen = new Set(selection.chosen);
        for (const row of rows) {
            if (on) chosen.add(id(row));
            else chosen.delete(id(row));
        }
        selection.change(chosen);
    };
    const toggle = (key: string) => {
        if (!selection) return;
        const chosen = new Set(selection.chosen);
        if (!chosen.delete(key)) chosen.add(key);
        selection.change(chosen);
    };
    return (
        <div className="card flush table">
            {tools}
            {refused && <div style={{ padding: 12 }}><ErrorBar refused={refused} {...(retry ? { retry } : {})} /></div>}
            <div className="scroll" ref={box} tabIndex={0} role="region" aria-label={label}>
                {count > 0 && (
                    <div role="table" aria-label={label} aria-rowcount={total !== undefined ? total + 1 : more ? -1 : count + 1} aria-colcount={shown.length + (selection ? 1 : 0)}>
                        <div role="rowgroup">
                            <div className="table-head" role="row" style={{ gridTemplateColumns: tracks }}>
                                {selection && (
                                    <span role="columnheader" className="check">
                                        <Checkbox aria-label={text.table.selectAll} checked={chosenHere === 0 ? false : chosenHere === count ? true : "mixed"}
                                            onChange={(_, data) => toggleAll(data.checked === true)} />
                                    </span>
                                )}
                                {shown.map((column) => <span key={column.key} role="columnheader">{column.name}</span>)}
                            </div>
                        </div>
                        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: "relative" }}>
                            {items.map((item) => {
                                const row = rows![item.index]!;
                                const key = id(row);
                                const on = selection?.chosen.has(key) ?? false;
                                return (
                                    <div key={key} role="row" aria-rowindex={item.index + 2} className={on ? "table-row on" : "table-row"}
                                        style={{ gridTemplateColumns: tracks, height: rowHeight, transform: `translateY(${item.start}px)` }}>
                                        {selection && (
                                            <span role="cell" className="check">
                                                <Checkbox aria-label={text.table.select(key)} checked={on} onChange={() => toggle(key)} />
                                            </span>
                                        )}
                                        {shown.map((column) => <span key={column.key} role="cell">{column.show(row)}</span>)}
                                    </div>
                                );
                            })}
                        </div>
                    </div>
                )}
                {count === 0 && (pending ? <div style={{ padding: 20 }}><Loading lines={6} /></div> : !refused && <div style={{ display: "flex", minHeight: "100%" }}>{empty}</div>)}
            </div>
            <div className="table-foot" role="status">
                {count > 0 && <span>{total !== undefined && total > count ? text.table.of(count, total) : text.table.shown(count, more ?? false)}</span>}
                {loadingMore && <Spinner size="extra-tiny" label={text.table.loadingMore} labelPosition="after" />}
                {more && !loadingMore && <Button size="small" appearance="subtle" onClick={() => loadMore?.()}>{text.table.next}</Button>}
            </div>
        </div>
    );
}

/** What every paged question gives to its list. */
export function paged(query: {
    data: { items: unknown[]; total: number | undefined } | undefined;
    isPending: boolean; error: Refused | null; refetch: () => unknown; hasNextPage: boolean; fetchNextPage: () => unknown; isFetchingNextPage: boolean;
}) {
    return {
        pending: query.isPending,
        refused: query.error,
        retry: () => void query.refetch(),
        more: query.hasNextPage,
        loadMore: () => void query.fetchNextPage(),
        loadingMore: query.isFetchingNextPage,
        ...(query.data?.total === undefined ? {} : { total: query.data.total }),
    };
}
