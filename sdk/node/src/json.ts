// Strict JSON: one UTF-8 document (RFC 8259), no name twice in any object, at most 32 levels, no half surrogate pairs
// and no number beyond a double. It never settles for the first or the last of two members, as `JSON.parse` does,
// because two readers could settle differently.

/** What a JSON text says. `bigint` only where a caller asks for whole numbers that a double cannot hold. */
export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;

/** An object without a prototype: a member called `__proto__` is a member like any other. */
export type JsonObject = { [name: string]: Json };

/** The most arrays and objects inside each other, the outermost counted. */
const MAX_DEPTH = 32;

const BLANK = /[ \t\n\r]*/y;
const LITERAL = /true|false|null/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;

/** Reads one JSON object. `undefined` tells nothing of what is wrong, since nobody is told. */
export function parseObject(document: Uint8Array | string, number: (text: string) => Json = Number): JsonObject | undefined {
  try {
    const text = typeof document === 'string' ? document : decode(document);
    const value = new Reader(text, number).document();
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** For `parseObject`: whole numbers that a double cannot hold stay what they are. */
export function exactInteger(text: string): Json {
  const value = Number(text);
  return /^-?[0-9]+$/.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A byte order mark stays in the text, where no document begins with it. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

class Reader {
  readonly #text: string;
  readonly #number: (text: string) => Json;
  #at = 0;

  constructor(text: string, number: (text: string) => Json) {
    this.#text = text;
    this.#number = number;
  }

  document(): Json {
    const value = this.#value(MAX_DEPTH);
    this.#match(BLANK);
    if (this.#at !== this.#text.length) throw new SyntaxError();
    return value;
  }

  #value(levelsLeft: number): Json {
    this.#match(BLANK);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(levelsLeft - 1);
      case '[':
        return this.#array(levelsLeft - 1);
      case '"':
        return this.#string();
      case 't':
      case 'f':
      case 'n':
        return JSON.parse(this.#match(LITERAL)) as Json;
      default: {
        const value = this.#number(this.#match(NUMBER));
        if (typeof value === 'number' && !Number.isFinite(value)) throw new SyntaxError();
        return value;
      }
    }
  }

  #object(levelsLeft: number): JsonObject {
    if (levelsLeft < 0) throw new SyntaxError();
    const members = Object.create(null) as JsonObject;
    this.#list('}', () => {
      this.#match(BLANK);
      const name = this.#string();
      if (Object.hasOwn(members, name)) throw new SyntaxError();
      this.#match(BLANK);
      if (this.#text[this.#at++] !== ':') throw new SyntaxError();
      members[name] = this.#value(levelsLeft);
    });
    return members;
  }

  #array(levelsLeft: number): Json[] {
    if (levelsLeft < 0) throw new SyntaxError();
    const items: Json[] = [];
    this.#list(']', () => items.push(this.#value(levelsLeft)));
    return items;
  }

  /** From the opening bracket to the closing one, with commas between. */
  #list(end: string, item: () => void): void {
    this.#at += 1;
    this.#match(BLANK);
    if (this.#text[this.#at] === end) {
      this.#at += 1;
      return;
    }
    for (;;) {
      item();
      this.#match(BLANK);
      const next = this.#text[this.#at++];
      if (next === end) return;
      if (next !== ',') throw new SyntaxError();
    }
  }

  #string(): string {
    const literal = this.#match(STRING);
    const text = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
    if (!text.isWellFormed()) throw new SyntaxError();
    return text;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw new SyntaxError();
    this.#at += found.length;
    return found;
  }
}
