// SPDX-License-Identifier: Apache-2.0
// Tabs that are links: each has an address, opens in another window and is found by going back.
import { NavLink } from "react-router-dom";

export function Tabs({ label, tabs }: { label: string; tabs: { to: string; name: string; end?: boolean }[] }) {
    return (
        <nav className="tabs" aria-label={label}>
            {tabs.map((tab) => (
                <NavLink key={tab.to} to={tab.to} end={tab.end ?? true} className={({ isActive }) => (isActive ? "on" : "")}>{tab.name}</NavLink>
            ))}
        </nav>
    );
}
