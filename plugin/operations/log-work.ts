/** The store, with a line in the log for what it commits: the stages themselves say only what fails. */
import type { Logger, SealedTurn, Store, Undelivered } from "../ports.ts";

export function logWork(store: Store, log: Logger): Store {
  const { inbox, turns, hostEvents } = store;
  /** Those that were answered in pieces: their end brings nothing more. */
  const pieces = new WeakMap<SealedTurn, number>();
  return {
    ...store,
    inbox: {
      ...inbox,
      async apply(lanes, events, effects) {
        const woken = await inbox.apply(lanes, events, effects);
        if (woken !== null)
          for (const { eventId, event } of events)
            log.debug({ stage: "in", eventId, kind: event.kind }, "event applied");
        return woken;
      },
    },
    turns: {
      ...turns,
      async append(turn, index, piece) {
        const isAppended = await turns.append(turn, index, piece);
        if (isAppended) pieces.set(turn, (pieces.get(turn) ?? 0) + piece.parts.length);
        return isAppended;
      },
      async finish(answers) {
        const finished = await turns.finish(answers);
        for (const [i, { turn, send }] of answers.entries()) {
          if (!finished[i]) continue;
          const { turnId, conversationId, messages, saidBefore } = turn;
          const parts = (send?.parts.length ?? 0) + (pieces.get(turn) ?? 0);
          const isSilent = parts === 0 && saidBefore.length === 0;
          const fields = { stage: "turn", turnId, conversationId, messages: messages.length, parts };
          log.info(fields, isSilent ? "turn ended in silence" : "turn answered");
        }
        return finished;
      },
    },
    hostEvents: {
      ...hostEvents,
      async done(lane, id) {
        await hostEvents.done(lane, id);
        log.debug({ stage: "notify", hostEventId: id }, "host event taken");
      },
    },
  };
}

/** Parts that a status has called failed: what an attempt that fails says where it is made. */
export function logUndelivered(parts: readonly Undelivered[], log: Logger): void {
  for (const part of parts) log.warn({ stage: "out", ...part, state: "failed" }, "not delivered");
}
