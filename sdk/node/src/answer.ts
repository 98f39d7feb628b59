// What the feed of revocations says, with types. A line that is not understood is never passed over in silence: it may
// take back what would be let in.

import { isAccount, isSession } from './claims.js';
import { exactInteger, isObject, type Json, parseObject } from './json.js';
import { type Line } from './revoked.js';

/** One answer, or the data of one `lines` event. */
export interface Answer {
  /** From where to go on. */
  readonly cursor: string;
  /** Whether there is more to be had at once. */
  readonly more: boolean;
  readonly lines: readonly Line[];
  /** Whether there were lines of a kind that this version does not know. */
  readonly tooNew: boolean;
}

const CURSOR = /^[A-Za-z0-9._-]{1,200}$/;

/** Reads an answer. Throws an `Error` that says what is not understood. */
export function readAnswer(document: string): Answer {
  const answer = parseObject(document, exactInteger);
  if (answer === undefined) throw new Error('the answer is not a JSON object');
  const { cursor, more = false, reset = false, lines } = answer;
  if (typeof cursor !== 'string' || !CURSOR.test(cursor)) throw new Error('`cursor` is not a cursor');
  if (typeof more !== 'boolean') throw new Error('`more` is not true or false');
  // A new history needs no care: its lines are all that is live, and what is held besides stays until its `forget_at`.
  if (typeof reset !== 'boolean') throw new Error('`reset` is not true or false');
  if (!Array.isArray(lines)) throw new Error('`lines` is not a list');
  const understood = lines.map(readLine).filter((line) => line !== undefined);
  return { cursor, more, lines: understood, tooNew: understood.length < lines.length };
}

/** `undefined` for what this version does not know. */
function readLine(line: Json): Line | undefined {
  if (!isObject(line)) return undefined;
  const { session, account, below_version: belowVersion, forget_at: forgetAt } = line;
  if (!isSafeInteger(forgetAt)) return undefined;
  if (isSession(session) && account === undefined && belowVersion === undefined) return { session: copy(session), forgetAt };
  const id = typeof account === 'number' || typeof account === 'bigint' ? String(account) : undefined;
  if (session === undefined && isAccount(id) && isSafeInteger(belowVersion)) return { account: id, belowVersion, forgetAt };
  return undefined;
}

/** What is cut out of a document keeps all of it in memory; this does not. */
function copy(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function isSafeInteger(value: Json | undefined): value is number {
  return Number.isSafeInteger(value);
}
