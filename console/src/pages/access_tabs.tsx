// SPDX-License-Identifier: Apache-2.0
import { Tabs } from "../parts/tabs.tsx";
import { text } from "../text.ts";

const words = text.access;

export function AccessTabs() {
    return (
        <Tabs label={words.title} tabs={[
            { to: "/ui/access/users", name: words.tabs.users },
            { to: "/ui/access/tokens", name: words.tabs.tokens },
            { to: "/ui/access/policies", name: words.tabs.policies },
            { to: "/ui/access/account", name: words.tabs.account },
        ]} />
    );
}
