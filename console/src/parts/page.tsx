// SPDX-License-Identifier: Apache-2.0
// The head of a page: where we are, what this is, what can be done. Also names the window.
import { useEffect, type ReactNode } from "react";
import { Link } from "react-router-dom";
import { ChevronRightIcon } from "../icons.ts";
import { text } from "../text.ts";

type Crumb = { name: string; to: string };

export function Page({ title, name, lead, crumbs = [], pills, actions, fill, children }: {
    title: string;
    /** Where the heading is more than words. */
    name?: ReactNode;
    lead?: ReactNode;
    crumbs?: Crumb[];
    pills?: ReactNode;
    actions?: ReactNode;
    /** A long list takes the rest of the window. */
    fill?: boolean;
    children: ReactNode;
}) {
    useEffect(() => {
        document.title = `${title} · ${text.product}`;
    }, [title]);
    return (
        <div className={fill ? "page fill" : "page"}>
            <div className="page-head">
                <div className="grow">
                    {crumbs.length > 0 && (
                        <nav className="crumbs" aria-label={text.nav.crumbs}>
                            {crumbs.map((crumb, at) => (
                                <span key={crumb.name} className="row nowrap" style={{ gap: 4 }}>
                                    {at > 0 && <ChevronRightIcon aria-hidden />}
                                    <Link to={crumb.to}>{crumb.name}</Link>
                                </span>
                            ))}
                        </nav>
                    )}
                    <div className="row">
                        <h1 tabIndex={-1} id="page-title" style={{ outline: "none" }}>{name ?? title}</h1>
                        {pills}
                    </div>
                    {lead && <p className="lead">{lead}</p>}
                </div>
                {actions && <div className="actions">{actions}</div>}
            </div>
            {children}
        </div>
    );
}

export function Card({ title, aside, children, flush, id }: { title?: ReactNode; aside?: ReactNode; children: ReactNode; flush?: boolean; id?: string }) {
    return (
        <section className={flush ? "card flush" : "card"} id={id}>
            {(title || aside) && (
                <div className="card-head">
                    {title && <h2 className="grow">{title}</h2>}
                    {aside}
                </div>
            )}
            {children}
        </section>
    );
}

export function Facts({ facts }: { facts: ([string, ReactNode] | null | false | undefined)[] }) {
    return (
        <dl className="facts">
            {facts.map((fact) => fact && (
                <div key={fact[0]} style={{ display: "contents" }}>
                    <dt>{fact[0]}</dt>
                    <dd>{fact[1]}</dd>
                </div>
            ))}
        </dl>
    );
}

export function Stat({ figure, label, note, to }: { figure: ReactNode; label: string; note?: ReactNode; to?: string }) {
    const inside = (
        <>
            <div className="figure">{figure}</div>
            <div className="label">{label}</div>
            <div className="note-line small quiet">{note}</div>
        </>
    );
    return to ? <Link className="stat" to={to}>{inside}</Link> : <div className="stat">{inside}</div>;
}
