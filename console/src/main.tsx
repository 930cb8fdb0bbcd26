// SPDX-License-Identifier: Apache-2.0
import "./early.ts";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router-dom";
import { Refused } from "./api/client.ts";
import { router } from "./app.tsx";
import { onWake } from "./lib/activity.ts";
import { Themed } from "./parts/themed.tsx";
import "./style.css";

const client = new QueryClient({
    defaultOptions: {
        queries: {
            // Whether the server is there only the server knows: a browser without internet may reach it.
            networkMode: "always",
            staleTime: 10_000,
            // What passes by itself is asked again; a refusal is an answer.
            retry: (turn, error) => error instanceof Refused && error.passing && turn < 4,
            retryDelay: (turn, error) => Math.max((error as Refused).retryAfter * 1000, Math.min(8000, 500 * 2 ** turn)),
        },
        mutations: { retry: false, networkMode: "always" },
    },
});

onWake(() => void client.invalidateQueries());

createRoot(document.getElementById("root")!).render(
    <QueryClientProvider client={client}>
        <Themed>
            <RouterProvider router={router} future={{ v7_startTransition: true }} />
        </Themed>
    </QueryClientProvider>,
);
