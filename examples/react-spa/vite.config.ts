import { readFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// A folder with `cert.pem` and `key.pem`: then the page is served by HTTPS, under any name that leads to this
// machine. No other site can make use of that: the certificate is not good for its name.
const folder = process.env.HALLPASS_DEV_TLS;
const pem = (name: string) => readFileSync(join(folder ?? "", name));
const server = folder
  ? { host: "127.0.0.1", allowedHosts: true as const, https: { cert: pem("cert.pem"), key: pem("key.pem") } }
  : {};

export default defineConfig({ plugins: [react()], server, preview: server });
