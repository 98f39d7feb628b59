// `@hallpass/client`: signs people in at a Hallpass server and keeps the access token fresh. It never
// navigates, and never puts a secret where another script could find it later.

export { createHallpass } from "./client.js";
export { HallpassError } from "./errors.js";
export { memoryStore } from "./store.js";

export type { Hallpass, Options, SignIn, SignUp, SignUpResult, User } from "./types.js";
export type { Code, FieldError, Problem } from "./errors.js";
export type { Store } from "./store.js";
export type { components, paths } from "./api.js";
