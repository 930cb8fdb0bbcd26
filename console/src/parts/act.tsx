// SPDX-License-Identifier: Apache-2.0
// A button that knows what it needs. Who may not press it sees why; the server is what enforces.
import { Button, Tooltip, type ButtonProps } from "@fluentui/react-components";
import type { ReactElement, ReactNode } from "react";
import { useSession } from "./session.tsx";
import { text } from "../text.ts";

type ActProps = Omit<ButtonProps, "as"> & {
    /** Permission; without it the button is there, cannot be pressed and says why. */
    needs?: string;
    /** Why it cannot be pressed now, apart from permissions. */
    blocked?: string | false | null;
    children: ReactNode;
    icon?: ReactElement;
};

export function Act({ needs, blocked, children, ...rest }: ActProps) {
    const { can, who } = useSession();
    const why = needs && !can(needs) ? text.common.mayNot(who.role, needs) : blocked || null;
    if (!why) return <Button {...(rest as ButtonProps)}>{children}</Button>;
    return (
        <Tooltip content={why} relationship="description">
            <Button {...(rest as ButtonProps)} disabledFocusable>{children}</Button>
        </Tooltip>
    );
}
