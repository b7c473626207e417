/** Seals everything again with the first key, beside a running channel: read, open, seal, put back if nobody else has. */
import { ChannelError } from "../errors.ts";
import type { SealedPlace, SealedValue, SealedValues, SecretBox } from "../ports.ts";

/** How many values each key seals; null: values that are no box of ours. */
export type KeyCount = { readonly kid: string | null; readonly values: number };

export type UnreadableValue = SealedPlace & {
  readonly kid: string | null;
  /** Why it does not open. */
  readonly error: string;
};

export type KeyRotation = {
  readonly before: readonly KeyCount[];
  readonly after: readonly KeyCount[];
  readonly resealed: number;
  /** Left as they are: neither guessed at nor dropped. */
  readonly unreadable: readonly UnreadableValue[];
  /** The configured keys that seal nothing any more, and may go. */
  readonly removable: readonly string[];
  /** The older keys that sign-ins under way still need, for ten minutes at most. */
  readonly neededForSignIns: readonly string[];
};

export type RotateKeysDeps = {
  readonly sealedValues: SealedValues;
  readonly secretBox: SecretBox;
  /** The first encrypts. */
  readonly kids: readonly string[];
  /** Count only. */
  readonly checkOnly: boolean;
};

const PAGE = 100;
/** Each pass meets what was stored during the one before; there is little of it. */
const MOST_PASSES = 5;

export async function rotateKeys(deps: RotateKeysDeps): Promise<KeyRotation> {
  const { sealedValues, kids, checkOnly } = deps;
  const first = await pass(deps, checkOnly);
  let last = first;
  let { resealed } = first;
  // One more than needed: the last pass finds nothing to do, and is the count.
  for (let passes = 1; !checkOnly && passes < MOST_PASSES && last.hadOld; passes += 1) {
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
    neededForSignIns: older.filter((kid) => signIns.has(kid)),
  };
}

type Pass = {
  readonly counts: ReadonlyMap<string | null, number>;
  readonly unreadable: readonly UnreadableValue[];
  readonly resealed: number;
  /** Something readable was not sealed with the first key when it was read. */
  readonly hadOld: boolean;
};

/** Every value once: opened, and unless it only counts, sealed again where it is not by the first key. */
async function pass({ sealedValues, secretBox, kids }: RotateKeysDeps, countOnly: boolean): Promise<Pass> {
  const counts = new Map<string | null, number>();
  const unreadable: UnreadableValue[] = [];
  let resealed = 0;
  let hadOld = false;
  let place: SealedPlace | null = null;
  for (;;) {
    const values: readonly SealedValue[] = await sealedValues.after(place, PAGE);
    for (const value of values) {
      const kid = kidOf(value.sealed);
      counts.set(kid, (counts.get(kid) ?? 0) + 1);
      const opened = open(secretBox, value);
      if ("error" in opened) unreadable.push({ ...value.place, kid, error: opened.error });
      else if (kid !== kids[0]) {
        hadOld = true;
        if (!countOnly && (await sealedValues.replace(value, secretBox.seal(opened.secret, value.context))))
          resealed += 1;
      }
    }
    place = values.at(-1)?.place ?? null;
    if (place === null) return { counts, unreadable, resealed, hadOld };
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

function kidOf(sealed: string): string | null {
  return /^v1\.([A-Za-z0-9_-]{1,32})(?:\.|$)/.exec(sealed)?.[1] ?? null;
}

function listed(counts: ReadonlyMap<string | null, number>): readonly KeyCount[] {
  return [...counts]
    .map(([kid, values]) => ({ kid, values }))
    .toSorted((one, other) => (one.kid ?? "").localeCompare(other.kid ?? ""));
}
