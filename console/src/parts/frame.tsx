// SPDX-License-Identifier: Apache-2.0
// The frame around every page: the bar, the left pane, and what is said when the server is away.
import {
    Button, Menu, MenuDivider, MenuItem, MenuItemRadio, MenuList, MenuPopover, MenuTrigger, OverlayDrawer, Spinner, Tooltip,
} from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { Suspense, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Link, NavLink, Outlet, useLocation, useNavigate } from "react-router-dom";
import { reachNow, watchReach, whoAsks } from "../api/client.ts";
import { useOne } from "../api/hooks.ts";
import type { Server } from "../api/schema.ts";
import { useSession } from "./session.tsx";
import icon from "../icon.svg";
import {
    ConnectIcon, DashboardIcon, DevicesIcon, HistoryIcon, MenuIcon, MoonIcon, PeopleIcon, PersonIcon, SettingsIcon, SignOutIcon, SunIcon,
} from "../icons.ts";
import { text } from "../text.ts";
import type { ThemeChoice } from "../theme.ts";
import { Bounds } from "./bounds.tsx";
import { CopyButton } from "./copy.tsx";
import { Note } from "./states.tsx";
import { useThemeChoice } from "./themed.tsx";
import { Toasts } from "./toast.tsx";

function Places({ onGo }: { onGo?: () => void }) {
    const link = (to: string, name: string, picture: JSX.Element, end = false) => (
        <li><NavLink to={to} end={end} onClick={onGo} className={({ isActive }) => (isActive ? "on" : "")}>{picture}<span>{name}</span></NavLink></li>
    );
    return (
        <>
            <ul>
                {link("/ui", text.nav.dashboard, <DashboardIcon aria-hidden />, true)}
                {link("/ui/devices", text.nav.devices, <DevicesIcon aria-hidden />)}
            </ul>
            <div className="nav-head" id="nav-administration">{text.nav.administration}</div>
            <ul aria-labelledby="nav-administration">
                {link("/ui/device-connection", text.nav.deviceConnection, <ConnectIcon aria-hidden />)}
                {link("/ui/access", text.nav.access, <PeopleIcon aria-hidden />)}
                {link("/ui/audit", text.nav.audit, <HistoryIcon aria-hidden />)}
                {link("/ui/settings", text.nav.settings, <SettingsIcon aria-hidden />)}
            </ul>
        </>
    );
}

function Account() {
    const { name, who, signOut } = useSession();
    const navigate = useNavigate();
    return (
        <Menu>
            <MenuTrigger disableButtonEnhancement>
                <Button appearance="subtle" icon={<PersonIcon />} aria-label={text.nav.account(name)}><span className="only-wide ellipsis" style={{ maxWidth: 180 }}>{name}</span></Button>
            </MenuTrigger>
            <MenuPopover>
                <div style={{ padding: "8px 12px" }}>
                    <div className="strong wrap">{name}</div>
                    <div className="quiet small">{who.role ?? who.caller}</div>
                </div>
                <MenuDivider />
                <MenuList>
                    <MenuItem icon={<PersonIcon />} onClick={() => navigate("/ui/access/account")}>{text.nav.yourAccount}</MenuItem>
                    {who.session && <MenuItem icon={<SignOutIcon />} onClick={() => void signOut()}>{text.nav.signOut}</MenuItem>}
                </MenuList>
            </MenuPopover>
        </Menu>
    );
}

function ThemeSwitch() {
    const { choice, choose, isDark } = useThemeChoice();
    return (
        <Menu checkedValues={{ theme: [choice] }} onCheckedValueChange={(_, data) => choose((data.checkedItems[0] ?? "system") as ThemeChoice)}>
            <MenuTrigger disableButtonEnhancement>
                <Tooltip content={text.nav.theme} relationship="label"><Button appearance="subtle" icon={isDark ? <MoonIcon /> : <SunIcon />} /></Tooltip>
            </MenuTrigger>
            <MenuPopover>
                <MenuList>
                    {(["system", "light", "dark"] as const).map((one) => <MenuItemRadio key={one} name="theme" value={one}>{text.nav.themes[one]}</MenuItemRadio>)}
                </MenuList>
            </MenuPopover>
        </Menu>
    );
}

/** While the server is away it is asked every few seconds; when it is back, so is everything. */
function Away() {
    const client = useQueryClient();
    const reach = useSyncExternalStore(watchReach, reachNow);
    useEffect(() => {
        if (reach === "up") return undefined;
        const timer = setInterval(() => void whoAsks().catch(() => undefined), 2500);
        return () => {
            clearInterval(timer);
            void client.invalidateQueries();
        };
    }, [reach, client]);
    if (reach === "up") return null;
    return <div style={{ padding: "12px 28px 0" }}><Note tone="warn" live>{text.errors.reconnecting}</Note></div>;
}

export function Frame() {
    const { pathname } = useLocation();
    const [open, setOpen] = useState(false);
    const server = useOne<Server>("/server", {}, { stale: 60_000 });
    const first = useRef(true);
    const [heard, setHeard] = useState("");
    useEffect(() => {
        // A new page begins at its top, and a screen reader hears its name.
        if (first.current) {
            first.current = false;
            return undefined;
        }
        document.getElementById("main")?.scrollTo(0, 0);
        const timer = setTimeout(() => setHeard(document.title), 600);
        return () => clearTimeout(timer);
    }, [pathname]);
    return (
        <div className="frame">
            <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>{text.common.skip}</a>
            <header className="bar">
                <span className="only-narrow"><Button appearance="subtle" icon={<MenuIcon />} aria-label={text.nav.open} aria-expanded={open} onClick={() => setOpen(true)} /></span>
                <Link className="brand focus" to="/ui"><img src={icon} alt="" /><span>{text.product}</span></Link>
                {server.data && (
                    <span className="scope-chip only-wide"><span>{text.nav.scope}</span><span className="mono">{server.data.scopeId}</span><CopyButton value={server.data.scopeId} what={text.nav.scope} /></span>
                )}
                <span className="grow" />
                <ThemeSwitch />
                <Account />
            </header>
            <nav className="nav" aria-label={text.nav.label}><Places /></nav>
            {open && (
                <OverlayDrawer open position="start" size="small" onOpenChange={(_, data) => setOpen(data.open)} aria-label={text.nav.label}>
                    <nav className="nav" aria-label={text.nav.label} style={{ border: 0, height: "100%" }}>
                        <div className="brand"><img src={icon} alt="" /><span>{text.product}</span></div>
                        <Places onGo={() => setOpen(false)} />
                    </nav>
                </OverlayDrawer>
            )}
            <main className="main" id="main" tabIndex={-1} style={{ outline: "none" }}>
                <Away />
                <Bounds place={pathname}>
                    <Suspense fallback={<div className="page"><Spinner label={text.common.loading} /></div>}>
                        <Outlet />
                    </Suspense>
                </Bounds>
            </main>
            <div className="sr" role="status">{heard}</div>
            <Toasts />
        </div>
    );
}
