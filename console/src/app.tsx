// SPDX-License-Identifier: Apache-2.0
// Which address shows which page. The first page comes with the program; every other is a file of
// its own, brought when it is first shown.
import { lazy, type ComponentType } from "react";
import { createBrowserRouter, Navigate, type RouteObject } from "react-router-dom";
import Dashboard from "./pages/dashboard.tsx";
import { Frame } from "./parts/frame.tsx";
import { SessionGate } from "./parts/session.tsx";

function page(bring: () => Promise<{ default: ComponentType }>) {
    const Shown = lazy(bring);
    return <Shown />;
}

const pages: RouteObject[] = [
    { index: true, element: <Dashboard /> },
    { path: "devices", element: page(() => import("./pages/devices.tsx")) },
    { path: "devices/enrollments", element: page(() => import("./pages/enrollments.tsx")) },
    { path: "devices/refusals", element: page(() => import("./pages/refusals.tsx")) },
    { path: "devices/:device/*", element: page(() => import("./pages/device.tsx")) },
    { path: "device-connection", element: page(() => import("./pages/groups.tsx")) },
    { path: "device-connection/groups", element: page(() => import("./pages/groups.tsx")) },
    { path: "device-connection/groups/:group/*", element: page(() => import("./pages/group.tsx")) },
    { path: "device-connection/certificates", element: page(() => import("./pages/cas.tsx")) },
    { path: "device-connection/certificates/:ca", element: page(() => import("./pages/ca.tsx")) },
    { path: "device-connection/distrust", element: page(() => import("./pages/distrust.tsx")) },
    { path: "access", element: page(() => import("./pages/users.tsx")) },
    { path: "access/users", element: page(() => import("./pages/users.tsx")) },
    { path: "access/tokens", element: page(() => import("./pages/tokens.tsx")) },
    { path: "access/policies", element: page(() => import("./pages/policies.tsx")) },
    { path: "access/account", element: page(() => import("./pages/account.tsx")) },
    { path: "audit", element: page(() => import("./pages/audit.tsx")) },
    { path: "settings", element: page(() => import("./pages/settings.tsx")) },
    { path: "*", element: page(() => import("./pages/nowhere.tsx")) },
];

export const router = createBrowserRouter(
    [
        { path: "/ui", element: <SessionGate><Frame /></SessionGate>, children: pages },
        { path: "*", element: <Navigate to="/ui" replace /> },
    ],
    { future: { v7_relativeSplatPath: true, v7_normalizeFormMethod: true, v7_fetcherPersist: true, v7_partialHydration: true, v7_skipActionErrorRevalidation: true } },
);
