// SPDX-License-Identifier: Apache-2.0
// Tabs that are links: each has an address, opens in another window and is found by going back.
import { NavLink, useLocation } from "react-router-dom";

export function Tabs({ label, tabs }: { label: string; tabs: { to: string; name: string; end?: boolean }[] }) {
    const at = useLocation().pathname;
    // The address above the tabs shows the first of them. No redirect: a second click on the way would end it.
    const addressOf = (tab: { to: string }, index: number) => (index === 0 && tab.to.slice(0, tab.to.lastIndexOf("/")) === at ? at : tab.to);
    return (
        <nav className="tabs" aria-label={label}>
            {tabs.map((tab, index) => (
                <NavLink key={tab.to} to={addressOf(tab, index)} end={tab.end ?? true} className={({ isActive }) => (isActive ? "on" : "")}>{tab.name}</NavLink>
            ))}
        </nav>
    );
}
