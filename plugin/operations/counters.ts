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
  "sendsPostponed",
  "sendsAmbiguous",
  "sendsFailed",
  "sendsExpired",
  "sendsUnknown",
  "sendsUndelivered",
  "hostEventsTaken",
  "mediaStored",
  "mediaExpired",
] as const;

export type Counter = (typeof NAMES)[number];

/** Shown from the beginning: of a series that begins above 0 Prometheus misses the first rise, and an alert with it. */
const ANSWERS = { "200": 0, "401": 0, "500": 0, "503": 0 } as const;

/** Upper bounds of the sizes of commits, in deliveries; what is larger comes after them. */
export const COMMIT_SIZES = [1, 2, 4, 8, 16, 32, 64] as const;

export type Counters = {
  add(name: Counter, amount?: number): void;
  /** A webhook was answered with this status. */
  answered(status: number): void;
  /** Events of this kind were applied. */
  applied(kind: string, amount?: number): void;
  /** An attempt, or a part, ended without Meta's acceptance, or was never delivered, for this reason. */
  refused(reason: string): void;
  /** So many deliveries were stored in one commit. */
  committed(deliveries: number): void;
  read(): Counts;
};

export type Counts = Readonly<Record<Counter, number>> & {
  readonly answers: Readonly<Record<string, number>>;
  readonly kinds: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
  /** One for each of {@link COMMIT_SIZES}, and one for those above. */
  readonly commits: readonly number[];
  readonly committed: number;
};

export function createCounters(): Counters {
  const counts = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<Counter, number>;
  const answers: Record<string, number> = { ...ANSWERS };
  const kinds: Record<string, number> = {};
  const reasons: Record<string, number> = {};
  const commits = Array.from({ length: COMMIT_SIZES.length + 1 }, () => 0);
  let committed = 0;
  return {
    add(name, amount = 1) {
      counts[name] += amount;
    },
    answered(status) {
      answers[status] = (answers[status] ?? 0) + 1;
    },
    applied(kind, amount = 1) {
      kinds[kind] = (kinds[kind] ?? 0) + amount;
    },
    refused(reason) {
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    },
    committed(deliveries) {
      const bucket = COMMIT_SIZES.findIndex((most) => deliveries <= most);
      const i = bucket === -1 ? COMMIT_SIZES.length : bucket;
      commits[i] = (commits[i] ?? 0) + 1;
      committed += deliveries;
    },
    read: () => ({
      ...counts,
      answers: { ...answers },
      kinds: { ...kinds },
      reasons: { ...reasons },
      commits: [...commits],
      committed,
    }),
  };
}
