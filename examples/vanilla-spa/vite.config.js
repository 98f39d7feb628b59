import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

// A folder with `cert.pem` and `key.pem`: then the pages are served by https, as in production, and under any name that
// leads to this machine. No other site can make use of that: the certificate is not good for its name.
const tls = process.env.HALLPASS_DEV_TLS;
const pem = (name) => readFileSync(join(tls ?? "", name));
const https = tls && { host: "127.0.0.1", allowedHosts: true, https: { cert: pem("cert.pem"), key: pem("key.pem") } };

const server = { port: 3000, strictPort: true, ...https };

export default defineConfig({ server, preview: server });
