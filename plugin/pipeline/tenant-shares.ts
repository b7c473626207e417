/** Who may take how many of a worker's places, so that nobody's backlog or slowness leaves none for the others. */
import type { ClaimedLane } from "../ports.ts";

/** A tenant may hold so many places for each that stays free: one alone three quarters, who comes then three quarters of the rest. */
const PER_FREE_PLACE = 3;

export type TenantShares = {
  take(lane: ClaimedLane): void;
  giveBack(lane: ClaimedLane): void;
  /** How many lanes the next claim may bring, whosever they are, and whose it must leave out. */
  room(): { readonly limit: number; readonly without: readonly string[] };
};

export function createTenantShares(places: number): TenantShares {
  const held = new Map<string, number>();
  let taken = 0;

  return {
    take({ tenant }) {
      held.set(tenant, (held.get(tenant) ?? 0) + 1);
      taken += 1;
    },
    giveBack({ tenant }) {
      const left = (held.get(tenant) ?? 0) - 1;
      if (left > 0) held.set(tenant, left);
      else held.delete(tenant);
      taken -= 1;
    },
    room() {
      const free = places - taken;
      // So many that what is held and what is claimed are not more than that share of what stays free.
      const roomFor = (holds: number) => Math.ceil((PER_FREE_PLACE * free - holds) / (PER_FREE_PLACE + 1));
      const without: string[] = [];
      let most = 0;
      for (const [tenant, holds] of held)
        if (roomFor(holds) < 1) without.push(tenant);
        else most = Math.max(most, holds);
      return { limit: free <= 0 ? 0 : roomFor(most), without };
    },
  };
}
