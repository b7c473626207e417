/** Seals everything again with the first key, beside a running channel: read, open, seal, put back if nobody else has. */
import { ChannelError } from "../errors.ts";
import type { SealedPlace, SealedValue, SealedValues, SecretBox } from "../ports.ts";

/** How many values each key seals; null: values that are no box of ours. */
export type KeyCount = { readonly kid: string | null; readonly values: number };

/** A sealed value that does not open, by the row that it is in. */
export type UnreadableValue = SealedPlace & {
  readonly kid: string | null;
  /** Why it does not open. */
  readonly error: string;
};

/** What {@link rotateKeys} found and did: how many values each key seals, and which keys may go. */
export type KeyRotation = {
  readonly before: readonly KeyCount[];
  readonly after: readonly KeyCount[];
  readonly resealed: number;
  /** Left as they are: neither guessed at nor dropped. */
  readonly unreadable: readonly UnreadableValue[];
  /** The configured keys that seal nothing any more, and may go. */
  readonly removable: readonly string[];
  /** The older keys that people who are just connecting still need: for ten minutes, then rotate again. */
  readonly neededForSignIns: readonly string[];
};

export type RotateKeysDeps = {
  readonly sealedValues: SealedValues;
  readonly secretBox: SecretBox;
  /** The first encrypts. */
  readonly kids: readonly string[];
  /** Count only. */
  readonly checkOnly: boolean;
  /** Hears how many values of this pass have been looked at; nobody knows of how many. */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
};

const PAGE = 100;
/** Each pass meets what was stored during the one before; there is little of it. */
const MOST_PASSES = 5;

export async function rotateKeys(deps: RotateKeysDeps): Promise<KeyRotation> {
  const { sealedValues, kids, checkOnly } = deps;
  const first = await pass(deps, checkOnly);
  let last = first;
  let { resealed } = first;
  // The last one finds nothing to do, and is the count; what others renew meanwhile is met by the next.
  for (let passes = 1; !checkOnly && passes < MOST_PASSES && hadWork(last); passes += 1) {
    last = await pass(deps, false);
    resealed += last.resealed;
  }
  const signIns = new Set((await sealedValues.underWay()).map(({ sealed }) => kidOf(sealed)));
  const sealsNothing = (kid: string) => (last.counts.get(kid) ?? 0) === 0;
  const older = kids.slice(1);
  return {
    before: listed(first.counts),
    after: listed(last.counts),
    resealed,
    unreadable: last.unreadable,
    removable: older.filter((kid) => sealsNothing(kid) && !signIns.has(kid)),
    neededForSignIns: checkOnly ? [] : older.filter((kid) => signIns.has(kid) || last.leftBehind.has(kid)),
  };
}

type Pass = {
  readonly counts: ReadonlyMap<string | null, number>;
  readonly unreadable: readonly UnreadableValue[];
  readonly resealed: number;
  /** The keys of what could be read, and was not sealed again: somebody is busy with it, or it was only counted. */
  readonly leftBehind: ReadonlySet<string | null>;
};

/** Every value once: opened, and unless it only counts, sealed again where it is not by the first key. */
async function pass({ sealedValues, secretBox, kids, onProgress }: RotateKeysDeps, countOnly: boolean): Promise<Pass> {
  const counts = new Map<string | null, number>();
  const unreadable: UnreadableValue[] = [];
  const leftBehind = new Set<string | null>();
  let resealed = 0;
  let place: SealedPlace | null = null;
  let seen = 0;
  for (;;) {
    const values: readonly SealedValue[] = await sealedValues.after(place, PAGE);
    for (const value of values) {
      const kid = kidOf(value.sealed);
      counts.set(kid, (counts.get(kid) ?? 0) + 1);
      const opened = open(secretBox, value);
      if ("error" in opened) unreadable.push({ ...value.place, kid, error: opened.error });
      else if (kid !== kids[0]) {
        const isDone = !countOnly && (await sealedValues.replace(value, secretBox.seal(opened.secret, value.context)));
        if (isDone) resealed += 1;
        else leftBehind.add(kid);
      }
    }
    seen += values.length;
    onProgress?.(seen, null);
    place = values.at(-1)?.place ?? null;
    if (place === null) return { counts, unreadable, resealed, leftBehind };
  }
}

function open(
  secretBox: SecretBox,
  { sealed, context }: SealedValue,
): { readonly secret: string } | { readonly error: string } {
  try {
    return { secret: secretBox.open(sealed, context) };
  } catch (error) {
    if (error instanceof ChannelError) return { error: error.message };
    throw error;
  }
}

function hadWork({ resealed, leftBehind }: Pass): boolean {
  return resealed > 0 || leftBehind.size > 0;
}

function kidOf(sealed: string): string | null {
  return /^v1\.([A-Za-z0-9_-]{1,32})(?:\.|$)/.exec(sealed)?.[1] ?? null;
}

function listed(counts: ReadonlyMap<string | null, number>): readonly KeyCount[] {
  return [...counts]
    .map(([kid, values]) => ({ kid, values }))
    .toSorted((one, other) => (one.kid ?? "").localeCompare(other.kid ?? ""));
}
