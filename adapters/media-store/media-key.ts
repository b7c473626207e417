/** What a key may look like: it becomes a path, and part of an address. */

const KEY = /^[A-Za-z0-9_-]{1,64}\/[A-Za-z0-9_-]{1,128}$/;

/** @throws Error for what no key of ours can be: a mistake in the code, never somebody's input. */
export function checkKey(key: string): string {
  if (!KEY.test(key)) throw new Error("A key of the media store is <tenant>/<random>: letters, digits, - and _.");
  return key;
}
