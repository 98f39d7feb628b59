import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

// A folder with `cert.pem` and `key.pem`: then the pages are served by https, as in production.
const tls = process.env.HALLPASS_DEV_TLS;
const https = tls && { cert: readFileSync(join(tls, "cert.pem")), key: readFileSync(join(tls, "key.pem")) };

const server = { port: 3000, strictPort: true, ...(https && { https }) };

export default defineConfig({ server, preview: server });
