// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vite";

// Where the pages go, and in development where the server's operator door is.
const out = process.env.ROLLCALL_CONSOLE_OUT ?? "dist";
const operator = process.env.ROLLCALL_OPERATOR ?? "https://127.0.0.1:9443";

export default defineConfig({
    esbuild: { jsx: "automatic" },
    build: {
        outDir: out,
        emptyOutDir: true,
        // Chromium and Firefox of Debian 12, Safari 16.
        target: "es2022",
        // The policy of our pages allows no data: fonts or scripts; small pictures are files as well.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
        chunkSizeWarningLimit: 1500,
        rollupOptions: {
            // "use client" is for frameworks that render on a server.
            onwarn(warning, tell) {
                if (warning.code !== "MODULE_LEVEL_DIRECTIVE") tell(warning);
            },
            output: {
                manualChunks(id) {
                    if (id.endsWith("/src/early.ts")) return "early";
                    if (/node_modules\/(react|react-dom|scheduler|react-router|react-router-dom|@remix-run)\//.test(id)) {
                        return "react";
                    }
                    return undefined;
                },
            },
        },
    },
    server: {
        proxy: Object.fromEntries(["/api", "/auth"].map((path) => [path, {
            target: operator,
            secure: false,
            changeOrigin: true,
            // The server lets changes in from its own origin only.
            headers: { origin: operator },
        }])),
    },
});
