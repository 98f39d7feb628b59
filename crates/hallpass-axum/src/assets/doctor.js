// Says what keeps cookies and answers of the server from the page that loads it, each with what to do about it. On the
// server's own page `/doctor` it shows that there, anywhere else in the console. It changes nothing but a test cookie.

const at = (path) => new URL(path, import.meta.url);
const isOwn = location.origin === at("").origin;

const finding = (level) => (about, seen, breaks = "", fix = "") => ({ level, about, seen, breaks, fix });
const good = finding("good");
const note = finding("note");
const wrong = finding("wrong");

/** What the server saw of a request with cookies, or undefined where the page cannot read that. */
async function ask() {
  try {
    const response = await fetch(at("doctor/seen"), { credentials: "include", cache: "no-store" });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

function secureContext() {
  return isSecureContext
    ? good("secure context", location.origin)
    : wrong("secure context", `${location.origin} is none`, "browsers take no cookie with `Secure` from it, and give its scripts no Web Locks or Web Crypto",
      "open it as http://localhost, or over https: hallpass serve --dev-tls");
}

function cookie(seen) {
  if (seen.cookie) return good("cookies", "the test cookie was kept and sent back");
  const fix = location.protocol === "http:"
    ? "use a browser that keeps `Secure` cookies of http://localhost (Chromium, Firefox), or https: hallpass serve --dev-tls"
    : "allow cookies for this site in the browser, and look whether a proxy takes `Set-Cookie` or `Cookie` away: hallpass doctor";
  return wrong("cookies", "the test cookie was set and did not come back", "nobody stays signed in after a reload", fix);
}

function clock(seen) {
  const difference = Math.round(Date.now() / 1000 - seen.now);
  const text = `this browser is ${Math.abs(difference)} s ${difference < 0 ? "behind" : "ahead of"} the server`;
  return Math.abs(difference) <= Math.max(seen.leeway, 5)
    ? good("clock", text)
    : wrong("clock", text, "a script that reads `exp` refreshes too late or all the time", "set the clocks of both machines by NTP: timedatectl set-ntp true");
}

function site(seen) {
  const expected = isOwn ? ["same-origin"] : ["same-site", "same-origin"];
  if (expected.includes(seen.site)) return good("Sec-Fetch-Site", seen.site);
  if (seen.site) {
    return wrong("Sec-Fetch-Site", seen.site, "the browser sends no cookie with `SameSite=Strict` from here",
      "serve the page and the server under one domain with one scheme, such as https://app.example.test and https://api.example.test");
  }
  return wrong("Sec-Fetch-Site", "the header did not come", "the server cannot tell that a request comes from a page of its own",
    "let the proxy pass on the headers `Sec-Fetch-*`; update a browser from before 2023");
}

function address(seen) {
  const expected = new URL(seen.public_url).origin;
  return expected === location.origin
    ? good("public_url", seen.public_url)
    : wrong("public_url", `it is ${seen.public_url}, and this page is at ${location.origin}`,
      "links in mails, and who tokens say that they are from, name another origin than people use", `open ${expected}, or: public_url = "${location.origin}"    # hallpass.toml`);
}

function host(seen) {
  return seen.host === location.host
    ? good("Host", seen.host)
    : wrong("Host", `${seen.host} arrived, ${location.host} was asked`, "the pages for development are served under the server's own name only",
      "nginx: proxy_set_header Host $http_host;    Vite: changeOrigin: false");
}

function proxies(seen) {
  const headers = Object.entries(seen.forwarded).map(([name, lines]) => `${name}: ${lines.join(", ")}`).join("; ");
  const text = `the server takes ${seen.client} for the client; the connection is from ${seen.peer}${headers && `, with ${headers}`}`;
  return seen.forwarded["x-forwarded-for"] && !seen.peer_is_trusted
    ? wrong("client address", text, "everybody behind the proxy counts as one client: limits hit all of them at once",
      `[network]\ntrusted_proxies = ["${seen.peer}"]    # hallpass.toml`)
    : good("client address", text);
}

function scheme(seen) {
  const [arrived] = seen.forwarded["x-forwarded-proto"] ?? [];
  return !arrived || `${arrived}:` === location.protocol
    ? good("scheme", location.protocol)
    : note("scheme", `the proxy says ${arrived}, this page is at ${location.protocol}`, "programs behind the proxy make links with another scheme",
      "nginx: proxy_set_header X-Forwarded-Proto $scheme;");
}

async function onOwnPage() {
  const first = await ask();
  if (!first) {
    return [secureContext(), wrong("Host", `the server does not know itself as ${location.host}`, "the pages for development are served under the server's own name only",
      `open it under its own name, or: public_url = "${location.origin}"    # hallpass.toml`)];
  }
  const seen = await ask() ?? first;
  return [secureContext(), ...[address, host, scheme, cookie, site, clock, proxies].map((look) => look(seen))];
}

/** Why the server refuses this page's origin. Anybody may read that answer, and it is asked without cookies. */
async function verdict() {
  try {
    return await (await fetch(at("doctor/origin"), { credentials: "omit", cache: "no-store" })).json();
  } catch {
    const mixed = location.protocol === "https:" && at("").protocol === "http:";
    return { refused: wrong("server", `no answer from ${at("").origin}`, "nothing works",
      mixed ? "a page over https cannot ask a server over http: hallpass serve --dev-tls" : `open ${at("doctor")} in a tab: is the server there, and does the browser trust its certificate?`) };
  }
}

/** A header that needs a preflight: it brings about nothing but that. */
async function preflight() {
  try {
    await fetch(at("readyz"), { credentials: "include", headers: { "x-csrf-token": "doctor" } });
    return good("preflight", "answered");
  } catch {
    return wrong("preflight", "the browser did not get past it", "requests with `Authorization` or JSON fail before they are sent",
      "let `OPTIONS` through to the server, and take `Access-Control-*` out of the proxy: hallpass doctor");
  }
}

async function onForeignPage() {
  const { refused } = await verdict();
  if (refused) return [secureContext(), refused];
  const first = await ask();
  if (!first) {
    return [secureContext(), wrong("CORS", "the server allows this origin, and the browser does not get its answer", "the page reads no answer that needs a cookie",
      "take `Access-Control-Allow-Origin` out of the proxy, which adds its own: hallpass doctor")];
  }
  const seen = await ask() ?? first;
  return [secureContext(), good("CORS", `${location.origin} may read answers`), await preflight(), site(seen), cookie(seen), clock(seen)];
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function show(findings) {
  document.querySelector("#findings").replaceChildren(...findings.map(({ level, about, seen, breaks, fix }) =>
    element("div", level === "wrong" ? "answer bad" : "answer",
      element("p", "", element("strong", "", about), ` ${level === "good" ? "is fine" : level}: ${seen}`),
      ...(breaks ? [element("p", "", `So ${breaks}.`)] : []),
      ...(fix ? [element("pre", "", element("code", "", fix))] : []))));
  document.querySelector("#paste").textContent = `await import("${at("doctor.js")}")`;
}

function tell(findings) {
  for (const { level, about, seen, breaks, fix } of findings) {
    const text = [`${level}: ${about}: ${seen}`, breaks && `So ${breaks}.`, fix].filter(Boolean).join("\n");
    console[{ good: "info", note: "warn", wrong: "error" }[level]](text);
  }
}

/** What was found; each has `level` (good, note or wrong), `about`, `seen`, `breaks` and `fix`. */
export const findings = await (isOwn ? onOwnPage() : onForeignPage());
if (isOwn && document.querySelector("#findings")) show(findings);
else tell(findings);
