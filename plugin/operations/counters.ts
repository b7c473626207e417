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
] as const;

export type Counter = (typeof NAMES)[number];

export type Counters = {
  add(name: Counter, amount?: number): void;
  read(): Readonly<Record<Counter, number>>;
};

export function createCounters(): Counters {
  const counts = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<Counter, number>;
  return {
    add(name, amount = 1) {
      counts[name] += amount;
    },
    read: () => ({ ...counts }),
  };
}
