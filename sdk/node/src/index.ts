// Checks Hallpass access tokens in a Node back end, and hears at once what was taken back. It never asks the Hallpass
// server about a token, and never issues one.

export { type Claims } from './claims.js';
export { type Clock } from './clock.js';
export { type Code, HallpassError, type Problem, ServerError, type ServerErrorCode } from './errors.js';
export { type OnError } from './outage.js';
export { Verifier, type VerifierOptions } from './verifier.js';
