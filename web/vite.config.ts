import react from "@vitejs/plugin-react";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The server that `vite` passes requests on to while pages are being developed. */
const SERVER = "http://127.0.0.1:8000";

/** Writes a `.gz` beside each text file: the server sends it as it is. */
function gzip(): Plugin {
  return {
    name: "gzip",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        for (const [name, file] of Object.entries(bundle)) {
          if (!/\.(js|css|svg)$/.test(name)) continue;
          const text = file.type === "chunk" ? file.code : file.source;
          this.emitFile({ type: "asset", fileName: `${name}.gz`, source: gzipSync(text, { level: 9 }) });
        }
      },
    },
  };
}

/** While developing there is no server to replace `__BASE__`. */
function withoutBase(): Plugin {
  return {
    name: "without-base",
    apply: "serve",
    transformIndexHtml: (html) => html.replaceAll("__BASE__", ""),
  };
}

/** Passes a path on, as from the server's own pages: it refuses the origin of the development server otherwise. */
const passedOn = { target: SERVER, changeOrigin: true, headers: { origin: SERVER } };

export default defineConfig({
  base: "./",
  html: { cspNonce: "__NONCE__" },
  plugins: [react(), gzip(), withoutBase()],
  build: {
    outDir: "../crates/hallpass-axum/dist",
    emptyOutDir: true,
    assetsDir: "pages",
    // The policy of the pages allows no script or style that is part of the address.
    assetsInlineLimit: 0,
    // Browsers of 2024 and later. Those for style sheets know `light-dark()`, which could not be replaced: the page itself
    // switches between the two.
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
  },
  server: { proxy: { "/api": passedOn, "/pages/logo": passedOn, "/dev": passedOn } },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"] },
});
