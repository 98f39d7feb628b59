// The whole application. It draws what `hallpass.user` says, and knows nothing of tokens.

import { createHallpass, HallpassError } from "@hallpass/client";

const hallpass = createHallpass({ url: import.meta.env.VITE_HALLPASS_URL ?? "http://localhost:8000" });

const find = (selector) => document.querySelector(selector);
const say = (text) => (find("#alert").textContent = text);

/** Shows the page that the address names, if it is for whoever is here; else the first one. */
function draw() {
  const { user, error } = hallpass;
  const who = user ? "user" : user === null ? "nobody" : "unknown";
  const allowed = (part) => (part.dataset.for ?? who) === who;
  for (const link of document.querySelectorAll("nav > *")) link.hidden = !allowed(link);
  const pages = [...document.querySelectorAll("section")];
  const wanted = pages.find((page) => `#${page.id}` === location.hash && allowed(page)) ?? pages[0];
  for (const page of pages) page.hidden = page !== wanted;

  const name = user?.first_name || user?.username || user?.email;
  find("#greeting").textContent = user
    ? `Hello, ${name}!`
    : user === null
      ? "Hello, stranger!"
      : "One moment …";
  if (error) say(error.detail);
  if (wanted.id === "me") showMe();
}

/** Asks the server for what only a signed-in person gets. */
async function showMe() {
  try {
    const response = await hallpass.fetch(`${hallpass.url}/api/v1/me`);
    if (!response.ok) throw await HallpassError.from(response);
    find("#answer").textContent = JSON.stringify(await response.json(), null, 2);
  } catch (error) {
    find("#answer").textContent = "";
    say(error.message);
  }
}

/** Sends a form, says what went wrong, and marks the fields that it was about. */
function onSubmit(form, send) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    for (const input of form.elements) input.removeAttribute("aria-invalid");
    say("");
    button.disabled = true;
    try {
      await send(Object.fromEntries(new FormData(form)));
      form.reset();
    } catch (error) {
      for (const { field } of error.errors ?? []) form.elements[field]?.setAttribute("aria-invalid", "true");
      say(
        [error.message, ...(error.errors ?? []).map(({ field, detail }) => `${field}: ${detail}`)].join("\n"),
      );
    } finally {
      button.disabled = false;
    }
  });
}

onSubmit(find("#signin form"), async ({ username, password, remember }) => {
  await hallpass.signIn({ username, password, remember: remember === "on" });
  location.hash = "home";
});

onSubmit(find("#signup form"), async (account) => {
  const { status } = await hallpass.signUp(account);
  location.hash = "home";
  if (status === "verify_email") say("A mail is on its way: follow its link, then sign in.");
});

find("#signout").addEventListener("click", async () => {
  const told = await hallpass.signOut();
  location.hash = "home";
  if (!told) say("Signed out here. The server hears of it once it can be reached.");
});

find("nav").addEventListener("click", () => say(""));
addEventListener("hashchange", () => {
  draw();
  find("main").focus();
});
hallpass.onChange(draw);
draw();
