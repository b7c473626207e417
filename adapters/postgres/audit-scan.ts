/** How far one look through what came and went may go, and how it is searched. */
import type { AuditOwner, MessageFilter } from "../../plugin/ports.ts";

/** How many rows one look goes through: whoever looks for what is rare goes on from there. */
export const SCAN = 2_000;

/** The largest bigint: everything is before it. */
export const NEVER = "9223372036854775807";

/** Every number that the tenant has or had, or the one: an event stays with the connection that held the number when it came. */
export type Owned = (owner: AuditOwner & Pick<MessageFilter, "phoneNumberId">) => Promise<readonly string[]>;

/** As JSON spells it, in lower case: events and messages are searched as they are stored. */
export function searched(q: string | undefined): string | null {
  return q === undefined ? null : JSON.stringify(q).slice(1, -1).toLowerCase();
}

/** What comes to a number is mostly statuses, four rows for a message. */
const FEW = 5;

/** Looks through few rows first, and through {@link SCAN} where what is wanted is rare. */
export async function scan<Row>(
  wanted: number,
  look: (rows: number) => Promise<readonly Row[]>,
  isEnough: (rows: readonly Row[]) => boolean,
): Promise<{ readonly rows: readonly Row[]; readonly isOver: boolean }> {
  const few = Math.min(SCAN, wanted * FEW);
  const first = await look(few);
  if (first.length < few) return { rows: first, isOver: true };
  if (few === SCAN || isEnough(first)) return { rows: first, isOver: false };
  const rows = await look(SCAN);
  return { rows, isOver: rows.length < SCAN };
}

/** Looks at the first few, and at ever more of them while what is wanted is rare. */
export async function inChunks<T>(
  ids: readonly string[],
  wanted: number,
  look: (some: readonly string[]) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const found: T[] = [];
  for (let at = 0, size = wanted; at < ids.length && found.length < wanted; at += size, size *= 4)
    found.push(...(await look(ids.slice(at, at + size))));
  return found;
}
