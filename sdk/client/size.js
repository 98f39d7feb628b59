// Measures what a page loads: everything, minified and compressed. Fails above six kilobytes.

import { build } from "esbuild";
import { gzipSync } from "node:zlib";

const LIMIT = 6 * 1024;

const { outputFiles } = await build({
  entryPoints: ["src/index.ts"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  write: false,
});
const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
console.log(`@hallpass/client: ${bytes} bytes of ${LIMIT}, minified and gzipped`);
if (bytes > LIMIT) process.exit(1);
