// Makes the reference page from openapi.json. It writes text only, never markup, so nothing in the document can become a script.
"use strict";

const main = document.querySelector("main");
const nav = document.querySelector("nav");

/** An element with attributes and children; a string child becomes text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Text in which `code` between backticks is set as code. */
function prose(text = "") {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

function paragraphs(text = "") {
  return text.split(/\n\s*\n/).filter(Boolean).map((part) => element("p", {}, ...prose(part)));
}

function table(titles, rows) {
  const cells = (name, row) => element("tr", {}, ...row.map((cell) => element(name, {}, ...[cell].flat())));
  const head = element("thead", {}, cells("th", titles));
  return element("table", {}, head, element("tbody", {}, ...rows.map((row) => cells("td", row))));
}

/** Finds what a `$ref` points at, and looks through "this or null". */
function resolve(api, schema = {}) {
  if (schema.$ref) return resolve(api, schema.$ref.slice(2).split("/").reduce((node, key) => node[key], api));
  const real = (schema.oneOf ?? schema.anyOf ?? []).filter((one) => one.type !== "null");
  return real.length === 1 ? { ...resolve(api, real[0]), description: schema.description } : schema;
}

function typeOf(api, schema) {
  const found = resolve(api, schema);
  const types = [found.type ?? "any"].flat();
  const name = types.map((type) => (type === "array" ? `array of ${typeOf(api, found.items)}` : type)).join(" or ");
  const limits = [
    ["int32", "int64", "password"].includes(found.format) ? undefined : found.format,
    found.minLength > 1 && `at least ${found.minLength} characters`,
    found.maxLength && `at most ${found.maxLength} characters`,
    found.default !== undefined && `${found.default} if left out`,
  ].filter(Boolean);
  return limits.length ? `${name} (${limits.join(", ")})` : name;
}

function members(api, schema) {
  const found = resolve(api, schema);
  const required = new Set(found.required);
  const rows = Object.entries(found.properties ?? {}).map(([name, member]) => [
    element("code", {}, name),
    typeOf(api, member) + (required.has(name) ? "" : ", optional"),
    [...prose(member.description ?? resolve(api, member).description), ...inner(api, member)],
  ]);
  return rows.length ? [table(["Member", "Type", "Meaning"], rows)] : [];
}

/** The members of a member that is an object, or an array of them, to be opened. */
function inner(api, member) {
  const found = resolve(api, member);
  const inside = members(api, found.type === "array" ? found.items : found);
  return inside.length ? [element("details", {}, element("summary", {}, "Its members"), ...inside)] : [];
}

/** A value that fits a schema, as far as an example needs it. */
function example(api, schema, name = "") {
  const found = resolve(api, schema);
  switch ([found.type].flat()[0]) {
    case "boolean": return true;
    case "integer": case "number": return 1;
    case "array": return [];
    case "object": {
      const shown = Object.entries(found.properties ?? {})
        .filter(([key]) => found.required?.includes(key) || ["username", "first_name", "refresh_token", "token"].includes(key));
      return Object.fromEntries(shown.map(([key, member]) => [key, example(api, member, key)]));
    }
    default: return { username: "ada", first_name: "Ada" }[name] ?? (name.includes("password") ? "a long phrase you remember" : "…");
  }
}

function curl(api, path, method, operation) {
  const base = location.origin + (api.servers?.[0]?.url ?? "").replace(/\/$/, "");
  const lines = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}'${base}${path}'`];
  if (operation.security?.some((way) => "access_token" in way)) lines.push(`-H "Authorization: Bearer $ACCESS_TOKEN"`);
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  if (body) {
    lines.push(`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(example(api, body))}'`);
  }
  return element("pre", {}, element("code", {}, lines.join(" \\\n  ")));
}

function access(operation) {
  const ways = (operation.security ?? []).filter((way) => Object.keys(way).length);
  if (!ways.length) return "Needs no sign-in.";
  const names = { access_token: "an access token", refresh_cookie: "the refresh cookie", csrf_token: "a CSRF token" };
  const text = ways.map((way) => Object.keys(way).map((key) => names[key] ?? key).join(" and ")).join(", or ");
  return `Takes ${text}${ways.length < operation.security.length ? ", or neither" : ""}.`;
}

function responses(api, operation) {
  return Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const schema = response.content?.["application/json"]?.schema;
    const inside = schema ? members(api, schema) : [];
    const title = [element("code", {}, status), " ", ...prose(response.description)];
    return inside.length
      ? element("details", {}, element("summary", {}, ...title), ...inside)
      : element("p", {}, ...title);
  });
}

function section(api, path, method, operation) {
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const parameters = (operation.parameters ?? []).map((parameter) => [
    element("code", {}, parameter.name), `${typeOf(api, parameter.schema)}, in the ${parameter.in}`, prose(parameter.description),
  ]);
  return element("section", {},
    element("h3", { id: operation.operationId }, operation.summary ?? operation.operationId),
    element("p", {}, element("span", { class: `method ${method}` }, method.toUpperCase()), element("code", {}, path)),
    ...paragraphs(operation.description),
    element("p", { class: "quiet" }, access(operation)),
    ...(parameters.length ? [element("h4", {}, "Parameters"), table(["Name", "Type", "Meaning"], parameters)] : []),
    ...(body ? [element("h4", {}, "Body"), ...members(api, body)] : []),
    element("h4", {}, "Try it"), curl(api, path, method, operation),
    element("h4", {}, "Answers"), ...responses(api, operation));
}

function show(api) {
  document.title = `${api.info.title} reference`;
  document.querySelector("#about").replaceChildren(
    `${api.info.title} ${api.info.version}. ${api.info.description} The same for programs: `,
    element("a", { href: "openapi.json" }, "openapi.json"), ".");
  const order = ["post", "get", "patch", "delete"];
  const operations = Object.entries(api.paths)
    .flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, operation })))
    .sort((one, other) => order.indexOf(one.method) - order.indexOf(other.method));
  for (const tag of api.tags) {
    main.append(element("h2", {}, tag.name), element("p", {}, ...prose(tag.description)));
    nav.append(element("strong", {}, tag.name));
    for (const { path, method, operation } of operations.filter((one) => one.operation.tags?.includes(tag.name))) {
      main.append(section(api, path, method, operation));
      nav.append(element("a", { href: `#${operation.operationId}` }, operation.summary));
    }
  }
  nav.append(element("strong", {}, "Errors"), element("a", { href: "#errors" }, "All codes"));
  main.append(element("h2", { id: "errors" }, "Errors"),
    element("p", {}, ...prose("Every failure is an `application/problem+json` document (RFC 9457). Programs go by `code`, people read `detail`, and `request_id` finds it in the server's log.")),
    ...members(api, { $ref: "#/components/schemas/Problem" }),
    table(["Code", "Status", "When"], api["x-errors"].map((error) => [
      element("code", { id: `error-${error.code}` }, error.code), String(error.status), prose(error.meaning)])));
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("openapi.json")
  .then((response) => response.json())
  .then(show)
  .catch(() => {
    document.querySelector("#about").textContent = "The document openapi.json could not be read. Load this page again.";
  });
