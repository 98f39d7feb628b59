/** The smallest front end: the client, for tests to call. The server's address is in the query. */
import { type Hallpass, createHallpass } from "@hallpass/client";

declare global {
  interface Window {
    hallpass: Hallpass;
  }
}

const server = new URLSearchParams(location.search).get("server");
if (server === null) throw new Error("the address names no server");
window.hallpass = createHallpass({ url: server });
