// Better Auth with accounts of address and password, on PostgreSQL.

import { betterAuth } from "better-auth";
import pg from "pg";

export const auth = betterAuth({
  database: new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 }),
  baseURL: process.env.BASE_URL,
  secret: process.env.SECRET,
  emailAndPassword: { enabled: true },
  // On: `get-session` answers from a second, signed cookie for five minutes. Its default is off.
  session: { cookieCache: { enabled: process.env.COOKIE_CACHE === "1" } },
  // The load is meant to come through.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "warn" },
});
