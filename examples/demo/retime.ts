/** Moves a recording to the present: its newest time becomes now, the time between its parts stays. */

// Ten digits are seconds since 1970. In a person's text the quotes would be escaped, so this never matches there.
const TIMESTAMP = /("timestamp"\s*:\s*"?)(\d{10})(?!\d)/g;

/** Same length, and every other byte as it was, whatever the encoding. */
export function retime(bytes: Uint8Array, now: Date): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  const newest = Math.max(...[...text.matchAll(TIMESTAMP)].map(([, , seconds]) => Number(seconds)));
  const shift = Math.floor(now.getTime() / 1000) - newest;
  return Buffer.from(
    text.replace(TIMESTAMP, (_, key: string, seconds: string) => `${key}${laterBy(shift, seconds)}`),
    "latin1",
  );
}

function laterBy(shift: number, seconds: string): string {
  return String(Math.max(0, Number(seconds) + shift)).padStart(10, "0");
}
