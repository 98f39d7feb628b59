// Redeems the secret of a mailed link once the person says so. The secret stands behind the `#`, which browsers send to
// no server; it is taken out of the address bar at once, kept nowhere, and sent to this server alone.
"use strict";

const form = document.querySelector("form");
const button = form.querySelector("button");
const message = document.querySelector("#message");
const passwords = [...form.querySelectorAll("input[type=password]")];
const PREFIX = "#token=";
let token = "";

/** Shows what happened where screen readers announce it, and moves there. */
function say(kind, ...lines) {
  message.className = kind;
  message.replaceChildren(...lines.map((line) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    return paragraph;
  }));
  message.focus();
}

/** Takes the secret out of the address, which changes nothing yet. */
function begin() {
  if (!location.hash.startsWith(PREFIX)) return;
  token = location.hash.slice(PREFIX.length);
  history.replaceState(null, "", location.pathname + location.search);
  message.className = "";
  message.replaceChildren();
  form.reset();
  form.hidden = false;
}

/** What the server is sent: the secret, and every field that has a name. */
function body() {
  const named = [...form.elements].filter((field) => field.name);
  const value = (field) => (field.type === "checkbox" ? field.checked : field.value);
  return { token, ...Object.fromEntries(named.map((field) => [field.name, value(field)])) };
}

function mark(field, wrong) {
  if (wrong) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

async function redeem() {
  const response = await fetch(form.dataset.operation, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body()),
  });
  if (response.ok) {
    form.hidden = true;
    form.reset();
    token = "";
    return say("good", form.dataset.done);
  }
  const problem = await response.json();
  const errors = problem.errors ?? [];
  // A link that is worth nothing is worth no second click.
  form.hidden = problem.code === "link_invalid";
  for (const field of passwords) mark(field, errors.some((error) => error.field === field.name));
  say("bad", ...(errors.length ? errors : [problem]).map((wrong) => wrong.detail));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [password, again] = passwords;
  if (password?.value !== again?.value) {
    mark(again, true);
    return say("bad", "The two passwords differ: type the same one twice.");
  }
  button.disabled = true;
  try {
    await redeem();
  } catch {
    say("bad", "The server did not answer. Try again.");
  } finally {
    button.disabled = false;
  }
});

form.addEventListener("input", (event) => mark(event.target, false));

function reveal(visible) {
  for (const field of passwords) field.type = visible ? "text" : "password";
}

form.querySelector("#show")?.addEventListener("change", (event) => reveal(event.target.checked));
form.addEventListener("reset", () => reveal(false));

// A second link that is opened in this tab changes no more than what stands behind the `#`.
addEventListener("hashchange", begin);
begin();
