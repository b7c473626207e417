/** What this process has done since it began: numbers that only rise. */

const NAMES = [
  "eventsAccepted",
  "eventsDuplicate",
  "eventsIgnored",
  "eventsApplied",
  "turnsAnswered",
  "turnsSilent",
  "sendsAccepted",
  "sendsRejected",
  "sendsAmbiguous",
  "sendsFailed",
  "sendsExpired",
  "sendsUnknown",
  "hostEventsTaken",
  "mediaStored",
  "mediaExpired",
] as const;

export type Counter = (typeof NAMES)[number];

/** Upper bounds of the sizes of commits, in deliveries; what is larger comes after them. */
export const COMMIT_SIZES = [1, 2, 4, 8, 16, 32, 64] as const;

export type Counters = {
  add(name: Counter, amount?: number): void;
  /** A webhook was answered with this status. */
  answered(status: number): void;
  /** So many deliveries were stored in one commit. */
  committed(deliveries: number): void;
  read(): Counts;
};

export type Counts = Readonly<Record<Counter, number>> & {
  readonly answers: Readonly<Record<string, number>>;
  /** One for each of {@link COMMIT_SIZES}, and one for those above. */
  readonly commits: readonly number[];
  readonly committed: number;
};

export function createCounters(): Counters {
  const counts = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<Counter, number>;
  const answers: Record<string, number> = {};
  const commits = Array.from({ length: COMMIT_SIZES.length + 1 }, () => 0);
  let committed = 0;
  return {
    add(name, amount = 1) {
      counts[name] += amount;
    },
    answered(status) {
      answers[status] = (answers[status] ?? 0) + 1;
    },
    committed(deliveries) {
      const bucket = COMMIT_SIZES.findIndex((most) => deliveries <= most);
      const i = bucket === -1 ? COMMIT_SIZES.length : bucket;
      commits[i] = (commits[i] ?? 0) + 1;
      committed += deliveries;
    },
    read: () => ({ ...counts, answers: { ...answers }, commits: [...commits], committed }),
  };
}
