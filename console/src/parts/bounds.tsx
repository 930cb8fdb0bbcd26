// SPDX-License-Identifier: Apache-2.0
// A mistake of ours ends one page, not the console.
import { Button } from "@fluentui/react-components";
import { Component, type ReactNode } from "react";
import { WarnIcon } from "../icons.ts";
import { text } from "../text.ts";
import { EmptyState } from "./states.tsx";

export class Bounds extends Component<{ place: string; children: ReactNode }, { broken: boolean }> {
    override state = { broken: false };
    static getDerivedStateFromError() {
        return { broken: true };
    }
    override componentDidUpdate(before: { place: string }) {
        if (this.state.broken && before.place !== this.props.place) this.setState({ broken: false });
    }
    override render() {
        if (!this.state.broken) return this.props.children;
        return (
            <div className="page">
                <EmptyState picture={<WarnIcon />} title={text.errors.broken}
                    actions={<Button appearance="primary" onClick={() => window.location.reload()}>{text.errors.reload}</Button>}>
                    <p>{text.errors.brokenDetail}</p>
                </EmptyState>
            </div>
        );
    }
}
