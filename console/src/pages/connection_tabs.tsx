// SPDX-License-Identifier: Apache-2.0
// Device connection has three lists; each is a page of its own.
import { text } from "../text.ts";
import { Tabs } from "../parts/tabs.tsx";

export const connectionCrumb = { name: text.connection.title, to: "/ui/device-connection/groups" };

export function ConnectionTabs() {
    return (
        <Tabs label={text.connection.title} tabs={[
            { to: "/ui/device-connection/groups", name: text.connection.groups },
            { to: "/ui/device-connection/certificates", name: text.connection.certificates },
            { to: "/ui/device-connection/distrust", name: text.connection.distrust },
        ]} />
    );
}
