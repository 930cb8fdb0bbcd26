// SPDX-License-Identifier: Apache-2.0
import { Tabs } from "../parts/tabs.tsx";
import { text } from "../text.ts";

export function DevicesTabs() {
    return (
        <Tabs label={text.devices.title} tabs={[
            { to: "/ui/devices", name: text.devices.tabs.devices },
            { to: "/ui/devices/enrollments", name: text.devices.tabs.enrollments },
            { to: "/ui/devices/refusals", name: text.devices.tabs.refusals },
        ]} />
    );
}
