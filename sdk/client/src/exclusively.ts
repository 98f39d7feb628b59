// One at a time: whatever changes the refresh secret waits for its turn, in this tab and in the others. It
// never waits for ever: a tab that the system has put to sleep may hold the lock.

/** Milliseconds to wait for other tabs. */
const PATIENCE = 30_000;

const turns = new Map<unknown, Promise<unknown>>();

/**
 * Does the work once nobody else does any under this key; a key that is a name counts for all tabs of the
 * origin.
 */
export const exclusively = <T>(key: unknown, work: () => Promise<T>): Promise<T> => {
  const turn = (turns.get(key) ?? Promise.resolve()).then(() => acrossTabs(key, work));
  const over = turn
    .catch(() => undefined)
    .then(() => {
      if (turns.get(key) === over) turns.delete(key);
    });
  turns.set(key, over);
  return turn;
};

/**
 * Without Web Locks, tabs refresh at the same time now and then, and the server gives each the same
 * successor.
 */
const acrossTabs = async <T>(key: unknown, work: () => Promise<T>): Promise<T> => {
  const locks = globalThis.navigator?.locks;
  if (typeof key !== "string" || !locks) return work();
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  let begun = false;
  try {
    return await locks.request(key, { signal: patience.signal }, () => {
      begun = true;
      clearTimeout(timer);
      return work();
    });
  } catch (error) {
    if (begun) throw error;
    return work();
  } finally {
    clearTimeout(timer);
  }
};
