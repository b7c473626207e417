/** The store, with what it commits counted: the stages themselves know nothing of it. */
import type { ReceivedEvent } from "../contract.ts";
import type { SealedTurn, Settlement, Store, Undelivered } from "../ports.ts";
import type { Counter, Counters } from "./counters.ts";

const RECEIVED: Readonly<Record<ReceivedEvent["outcome"], Counter>> = {
  accepted: "eventsAccepted",
  duplicate: "eventsDuplicate",
  ignored: "eventsIgnored",
};
const ATTEMPTED: Readonly<Record<NonNullable<Settlement["attempt"]> | "postponed", Counter>> = {
  accepted: "sendsAccepted",
  rejected: "sendsRejected",
  ambiguous: "sendsAmbiguous",
  postponed: "sendsPostponed",
};
const ENDED: Readonly<Record<string, Counter>> = {
  failed: "sendsFailed",
  expired: "sendsExpired",
  unknown: "sendsUnknown",
};

export function countWork(store: Store, counters: Counters): Store {
  const { inbox, turns, outbox, hostEvents, inboundMedia } = store;
  /** Those that were answered in pieces: their end brings nothing more. */
  const spoken = new WeakSet<SealedTurn>();
  return {
    ...store,
    inbox: {
      ...inbox,
      async record(deliveries) {
        const recorded = await inbox.record(deliveries);
        counters.committed(deliveries.length);
        for (const { events } of recorded) for (const { outcome } of events) counters.add(RECEIVED[outcome]);
        return recorded;
      },
      async apply(lanes, events, effects) {
        const woken = await inbox.apply(lanes, events, effects);
        if (woken === null) return woken;
        counters.add("eventsApplied", events.length);
        for (const { event } of events) counters.applied(event.kind);
        return woken;
      },
    },
    turns: {
      ...turns,
      async append(turn, index, piece) {
        const isAppended = await turns.append(turn, index, piece);
        if (isAppended) spoken.add(turn);
        return isAppended;
      },
      async finish(answers) {
        const finished = await turns.finish(answers);
        for (const [i, { turn, send }] of answers.entries()) {
          const said = (send?.parts.length ?? 0) > 0 || turn.saidBefore.length > 0 || spoken.has(turn);
          if (finished[i]) counters.add(said ? "turnsAnswered" : "turnsSilent");
        }
        return finished;
      },
    },
    outbox: {
      ...outbox,
      async settle(settlements) {
        const settled = await outbox.settle(settlements);
        for (const [i, { attempt, next, error }] of settlements.entries()) {
          if (!settled[i]) continue;
          if (error !== null) counters.refused(reasonOf(error));
          // What goes again is no refusal: a limit, a number that is blocked, a closed window.
          const isPostponed = attempt === "rejected" && next.kind !== "done";
          if (attempt !== null) counters.add(ATTEMPTED[isPostponed ? "postponed" : attempt]);
          const ended = next.kind === "done" ? ENDED[next.state] : undefined;
          if (ended !== undefined) counters.add(ended);
        }
        return settled;
      },
    },
    inboundMedia: {
      ...inboundMedia,
      async store(media, bytes, quotaBytes) {
        const isStored = await inboundMedia.store(media, bytes, quotaBytes);
        if (isStored) counters.add("mediaStored");
        return isStored;
      },
      async expire(media, reason) {
        const isExpired = await inboundMedia.expire(media, reason);
        if (isExpired) counters.add("mediaExpired");
        return isExpired;
      },
    },
    hostEvents: {
      ...hostEvents,
      async done(lane, id) {
        await hostEvents.done(lane, id);
        counters.add("hostEventsTaken");
      },
    },
  };
}

/** Parts that a status has called failed, which only whoever applies it knows. */
export function countUndelivered(parts: readonly Undelivered[], counters: Counters): void {
  counters.add("sendsUndelivered", parts.length);
  for (const { code } of parts) counters.refused(code === null ? "GRAPH_REJECTED" : String(code));
}

/** Meta's number where it gave one: a few dozen there are. Its words are for the receipt. */
function reasonOf({ code, meta }: NonNullable<Settlement["error"]>): string {
  return meta === null ? code : String(meta.code);
}
