// SPDX-License-Identifier: Apache-2.0
import { useNavigate } from "react-router-dom";
import { Button } from "@fluentui/react-components";
import { SearchIcon } from "../icons.ts";
import { EmptyState } from "../parts/states.tsx";
import { Page } from "../parts/page.tsx";
import { text } from "../text.ts";

export default function Nowhere() {
    const navigate = useNavigate();
    return (
        <Page title={text.errors.notFound}>
            <div className="card">
                <EmptyState picture={<SearchIcon />} title={text.errors.notFound}
                    actions={<Button appearance="primary" onClick={() => navigate("/ui")}>{text.errors.home}</Button>}>
                    <p>{text.errors.notFoundDetail}</p>
                </EmptyState>
            </div>
        </Page>
    );
}
