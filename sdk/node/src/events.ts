// Server-sent events, as the HTML standard has them, out of a text that comes in pieces. It knows nothing of what the
// events mean, and never reconnects.

/** One event. `event` is `message` where the stream names none; `id` is the last one that it has named. */
export interface ServerEvent {
  event: string;
  data: string;
  id: string;
}

/** The most characters of one event: beyond, the stream is not what it should be. */
const MAX_EVENT = 8 * 1_024 * 1_024;

/** The events of one stream. */
export class EventReader {
  #line = '';
  #afterCarriageReturn = false;
  #event = '';
  #data: string[] = [];
  #size = 0;
  #id = '';

  /** The events that this piece completes. Throws a `RangeError` where one has no end. */
  *push(piece: string): Generator<ServerEvent> {
    if (piece === '') return;
    // A line may end with CR LF, and the piece between the two.
    const text = this.#afterCarriageReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    this.#afterCarriageReturn = piece.endsWith('\r');
    const [first = '', ...others] = text.split(/\r\n|\n|\r/);
    const lines = [this.#line + first, ...others];
    this.#line = lines.pop() ?? '';
    for (const line of lines) {
      const event = line === '' ? this.#complete() : this.#read(line);
      if (event !== undefined) yield event;
    }
    if (this.#line.length + this.#size > MAX_EVENT) throw new RangeError('an event has no end');
  }

  #read(line: string): undefined {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (name === 'data') {
      this.#data.push(value);
      this.#size += value.length + 1;
    } else if (name === 'event') {
      this.#event = value;
    } else if (name === 'id' && !value.includes('\0')) {
      this.#id = value;
    }
    // Anything else is a comment (no name), the time to wait before reconnecting, which is ours to choose, or unknown.
  }

  #complete(): ServerEvent | undefined {
    const event = { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id };
    const empty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    this.#size = 0;
    return empty ? undefined : event;
  }
}
