// Serves Better Auth with `node:http`; WORKERS processes share the port.

import cluster from "node:cluster";
import { createServer } from "node:http";

const workers = Number(process.env.WORKERS ?? 1);

if (cluster.isPrimary && workers > 1) {
  for (let worker = 0; worker < workers; worker += 1) cluster.fork();
  process.on("SIGTERM", () => process.exit(0));
} else {
  const { toNodeHandler } = await import("better-auth/node");
  const { auth } = await import("./auth.js");
  createServer({ keepAliveTimeout: 75_000 }, toNodeHandler(auth)).listen(Number(process.env.PORT), "127.0.0.1");
}
