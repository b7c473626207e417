/** Group commit: calls that arrive while a commit is under way share the next one. */

export type GroupCommit<Item, Result> = {
  /** Resolves with this item's result once its group is committed; rejects when it is not. */
  add(item: Item): Promise<Result>;
  /** Items not yet answered, and what they weigh: the measures of overload. */
  readonly waiting: number;
  readonly weight: number;
};

type Waiting<Item, Result> = {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * So long are items tried alone, in milliseconds: each may wait for a lock until it times out, and others wait for the next group.
 */
const ALONE_FOR_MS = 30_000;

/**
 * @param commit stores all items or none, and answers in their order.
 * @param isItemsFault whether an error may be the fault of one item: then each is tried alone, so that it fails alone.
 */
export function createGroupCommit<Item, Result>(options: {
  readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly isItemsFault: (error: unknown) => boolean;
  readonly maxItems: number;
  /** Size of an item against `maxWeight`, so that a few large ones do not make one huge transaction. */
  readonly weigh?: (item: Item) => number;
  readonly maxWeight?: number;
  /** Commits under way at once. Default 1. */
  readonly parallel?: number;
}): GroupCommit<Item, Result> {
  const { commit, isItemsFault, maxItems, weigh = () => 0, maxWeight = 1, parallel = 1 } = options;
  const queue: Waiting<Item, Result>[] = [];
  let running = 0;
  let inFlight = 0;
  let held = 0;

  function nextGroup(): Waiting<Item, Result>[] {
    let weight = 0;
    let size = 0;
    while (size < queue.length && size < maxItems) {
      weight += weigh((queue[size] as Waiting<Item, Result>).item);
      if (size > 0 && weight > maxWeight) break;
      size++;
    }
    return queue.splice(0, size);
  }

  /** @returns what tells each caller, to be called once the next group is on its way. */
  async function settle(group: readonly Waiting<Item, Result>[]): Promise<() => void> {
    try {
      const results = await commit(group.map(({ item }) => item));
      return () => {
        for (const [i, { resolve }] of group.entries()) resolve(results[i] as Result);
      };
    } catch (error) {
      if (group.length === 1 || !isItemsFault(error))
        return () => {
          for (const { reject } of group) reject(error);
        };
      const answers: (() => void)[] = [];
      const until = performance.now() + ALONE_FOR_MS;
      for (const one of group) answers.push(performance.now() < until ? await settle([one]) : () => one.reject(error));
      return () => {
        for (const answer of answers) answer();
      };
    }
  }

  /** One group after the other, as long as there are any. */
  async function run(): Promise<void> {
    let answer: (() => void) | null = null;
    for (;;) {
      // Everything that this turn of the event loop reads from its sockets joins the group.
      await new Promise((resolve) => setImmediate(resolve));
      const group = nextGroup();
      inFlight += group.length;
      const weight = group.reduce((sum, { item }) => sum + weigh(item), 0);
      const settled = group.length === 0 ? null : settle(group);
      // After the promises that put the group on its way: the database works while the callers write their responses.
      if (answer !== null) process.nextTick(answer);
      if (settled === null) break;
      answer = await settled;
      inFlight -= group.length;
      held -= weight;
    }
    running--;
  }

  return {
    add: (item) =>
      new Promise<Result>((resolve, reject) => {
        queue.push({ item, resolve, reject });
        held += weigh(item);
        // Once a second group is full, more waiting would not make it larger: it is stored while the first commits.
        if (running === 0 || (running < parallel && queue.length >= maxItems)) {
          running++;
          void run();
        }
      }),
    get waiting() {
      return queue.length + inFlight;
    },
    get weight() {
      return held;
    },
  };
}
