/** Moves a recording to the present: its newest time becomes now, the time between its parts stays. */

// Ten digits are seconds since 1970. In a person's text the quotes would be escaped, so this never matches there.
const TIMESTAMP = /("timestamp"\s*:\s*"?)(\d{10})(?!\d)/g;

/** Same length, and every other byte as it was, whatever the encoding. @param now when its newest message was written. */
export function retime(bytes: Uint8Array, now: Date): Uint8Array {
  const newest = newestTimeIn(bytes);
  return newest === null ? bytes : shiftTimes(bytes, Math.floor(now.getTime() / 1000) - newest);
}

/** In seconds since 1970; null where there is none. */
export function newestTimeIn(bytes: Uint8Array): number | null {
  const text = Buffer.from(bytes).toString("latin1");
  const times = [...text.matchAll(TIMESTAMP)].map(([, , seconds]) => Number(seconds));
  return times.length === 0 ? null : Math.max(...times);
}

/** The same for a shift in seconds. */
export function shiftTimes(bytes: Uint8Array, seconds: number): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  const shifted = text.replace(TIMESTAMP, (_, key: string, time: string) => `${key}${laterBy(seconds, time)}`);
  return Buffer.from(shifted, "latin1");
}

function laterBy(shift: number, seconds: string): string {
  return String(Math.max(0, Number(seconds) + shift)).padStart(10, "0");
}
