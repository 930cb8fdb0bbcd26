// SPDX-License-Identifier: Apache-2.0
// What each role may, as docs/access.md has it (a test holds the two together). The server is what
// enforces; this is for choosing.
import type { Role } from "../api/schema.ts";

export const roles: Role[] = ["administrator", "builder", "operator", "viewer"];

/** Permission, what it is for, and the least role that has it. */
export const permissions: { name: string; least: Role }[] = [
    { name: "server.read", least: "viewer" },
    { name: "hub.write", least: "administrator" },
    { name: "ca.read", least: "viewer" },
    { name: "ca.write", least: "administrator" },
    { name: "group.read", least: "viewer" },
    { name: "group.write", least: "administrator" },
    { name: "enrollment.read", least: "viewer" },
    { name: "enrollment.write", least: "operator" },
    { name: "device.read", least: "viewer" },
    { name: "device.write", least: "operator" },
    { name: "registration.read", least: "viewer" },
    { name: "registration.write", least: "operator" },
    { name: "distrust.read", least: "viewer" },
    { name: "distrust.write", least: "administrator" },
    { name: "audit.read", least: "viewer" },
    { name: "audit.write", least: "administrator" },
    { name: "token.read", least: "viewer" },
    { name: "token.write", least: "administrator" },
    { name: "token.show", least: "administrator" },
    { name: "key.show", least: "operator" },
    { name: "group-key.show", least: "administrator" },
    { name: "user.read", least: "viewer" },
    { name: "user.write", least: "administrator" },
    { name: "device-group.read", least: "viewer" },
    { name: "device-group.write", least: "builder" },
    { name: "job.read", least: "viewer" },
    { name: "job.write", least: "operator" },
    { name: "session.read", least: "viewer" },
    { name: "session.write", least: "viewer" },
];

/** Each role includes those after it. */
export const roleMay = (role: Role, least: Role): boolean => roles.indexOf(role) <= roles.indexOf(least);
