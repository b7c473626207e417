/** Bodies of callers who have proven nothing yet: however many come at once, together they take only so much memory and time. */
import { ChannelError } from "../errors.ts";
import type { Logger } from "../ports.ts";
import { type Budget, type MaybeParsed, readRawBody } from "./raw-body.ts";

/** Five of Meta's largest deliveries at the same moment; an ordinary one is a thousandth of such. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;
/**
 * While more bodies than this are in line, one of them is read further each millisecond, 64 KiB at a time: Meta's largest delivery
 * takes 50 ms of that, and whoever pours in as fast as a machine can does not make everybody wait.
 */
const LONG_LINE = 4;
/** What a request costs beside its body, so that many bodies of one byte count as well. */
const COST_OF_A_REQUEST = 16 * 1024;

/** @throws ChannelError as `readRawBody`, and OVERLOADED when others need the memory more. */
export type ReadUnproven = (request: MaybeParsed, maxBytes?: number) => Promise<Uint8Array>;

type Reading = { bytes: number; readonly giveUp: (error: ChannelError) => void };

/**
 * When all of them together hold too much, the largest is given up, of several the oldest: so whoever fills the memory
 * is the first to go, and a small delivery that is signed still gets through.
 */
export function createUnprovenReads(log: Logger, maxHeldBytes = MAX_HELD_BYTES): ReadUnproven {
  const readings = new Set<Reading>();
  let held = 0;
  let isFlooded = false;
  const inLine: (() => void)[] = [];
  let isPumping = false;

  const budget: Budget = (giveUp) => {
    const reading: Reading = { bytes: 0, giveUp };
    readings.add(reading);
    grow(reading, COST_OF_A_REQUEST);
    return { grow: (bytes) => grow(reading, bytes), next, leave: () => leave(reading) };
  };

  /** First come, first served: somebody who sends slowly is not in the line while nothing has come. */
  function next(goOn: () => void): void {
    inLine.push(goOn);
    if (isPumping) return;
    isPumping = true;
    setImmediate(pump);
  }

  function pump(): void {
    inLine.shift()?.();
    isPumping = inLine.length > 0;
    if (inLine.length > LONG_LINE) setTimeout(pump, 1);
    else if (isPumping) setImmediate(pump);
  }

  function grow(reading: Reading, bytes: number): void {
    if (!readings.has(reading)) return;
    reading.bytes += bytes;
    held += bytes;
    while (held > maxHeldBytes) giveUpLargest();
  }

  function leave(reading: Reading): void {
    if (!readings.delete(reading)) return;
    held -= reading.bytes;
    if (held < maxHeldBytes / 2) isFlooded = false;
  }

  function giveUpLargest(): void {
    let largest: Reading | undefined;
    for (const reading of readings) if (largest === undefined || reading.bytes > largest.bytes) largest = reading;
    if (largest === undefined) return;
    // Once a flood and not once a body, or the log would be what is flooded.
    if (!isFlooded) log.warn({ requests: readings.size }, "unsigned bodies fill the memory set aside for them");
    isFlooded = true;
    leave(largest);
    largest.giveUp(
      new ChannelError("OVERLOADED", "Too many large bodies at once: send this one again.", {
        retry: "backoff",
      }),
    );
  }

  return (request, maxBytes) => readRawBody(request, maxBytes, budget);
}
