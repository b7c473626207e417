/** Stage `turn`: asks the host's AI, at least once per turn, and puts its answer into the outbox, exactly once. */
import type { AiResponse, Reply, Turn } from "../contract.ts";
import type { Host, Lanes, Logger, PlannedSend, SealedTurn, Turns } from "../ports.ts";
import { isStoreDown } from "./failure.ts";
import { createGroupCommit } from "./group-commit.ts";
import { type LaneHandler, NOTHING_TO_DO_MS, nameOf } from "./lane-worker.ts";
import { withPickedChoice } from "./pick-choice.ts";
import { planSend } from "./plan-send.ts";
import { type RetrySchedule, retryDelayMs } from "./retry-schedule.ts";
import type { createShowThinking } from "./show-thinking.ts";

export type TurnDeps = {
  readonly lanes: Lanes;
  readonly turns: Turns;
  readonly host: Host;
  readonly log: Logger;
  readonly retry: RetrySchedule;
  readonly random: () => number;
  /** How long the host may think about one turn. */
  readonly replyTimeoutMs: number;
  readonly showThinking: ReturnType<typeof createShowThinking>;
  readonly onAnswered: () => void;
};

export function createRunTurns(deps: TurnDeps): LaneHandler {
  const { lanes, turns, host, log, retry, random, replyTimeoutMs, showThinking, onAnswered } = deps;
  const finish = createGroupCommit<{ turn: SealedTurn; send: PlannedSend | null }, boolean>({
    commit: turns.finish,
    isItemsFault: (error) => !isStoreDown(error),
    maxItems: 200,
  });

  return async function runTurns(claimed, { signal, finished }): Promise<void> {
    const sealed = await turns.seal(claimed);
    await Promise.all(
      claimed.map(async (lane, i) => {
        const turn = sealed[i] ?? null;
        try {
          if (turn === null) await lanes.postpone(lane, NOTHING_TO_DO_MS, false);
          else await runTurn(turn, signal);
          finished(lane);
        } catch (error) {
          // Its neighbours are still thinking and keep their leases.
          finished(lane, error);
        }
      }),
    );
  };

  async function runTurn(turn: SealedTurn, signal: AbortSignal): Promise<void> {
    // It was tried that often and never came back to say why: it takes the process down with it.
    if (turn.attempt > retry.maxAttempts) return fail(turn, new Error("the process ended during every attempt"));
    try {
      const send = await ask(turn, signal);
      // A turn that ends after stop gave its lane back is fenced out and runs again elsewhere.
      await finish.add({ turn, send });
      onAnswered();
    } catch (error) {
      if (signal.aborted) return;
      await fail(turn, error);
    }
  }

  /** Nobody is asked while staff is talking, or when all that was written has been taken back. */
  async function ask(turn: SealedTurn, signal: AbortSignal): Promise<PlannedSend | null> {
    if (turn.isPaused || turn.messages.length === 0) return null;
    const hide = showThinking(turn);
    let send: PlannedSend | null = null;
    try {
      const answer = async (until: AbortSignal) => collect(await host.reply(visible(turn, until)));
      send = plan(turn, await withinTime(answer, replyTimeoutMs, signal));
      return send;
    } finally {
      hide(send !== null && send.parts.length > 0);
    }
  }

  async function fail(turn: SealedTurn, error: unknown): Promise<void> {
    const at = { stage: "turn", turnId: turn.turnId, attempt: turn.attempt, error: nameOf(error) };
    if (isStoreDown(error)) {
      log.warn(at, "database away; the turn runs again");
      await lanes.postpone(turn.lane, retryDelayMs(retry, turn.attempt, random), false);
    } else if (turn.attempt < retry.maxAttempts) {
      await lanes.postpone(turn.lane, retryDelayMs(retry, turn.attempt, random), true);
      log.warn(at, "the host did not answer the turn; trying again later");
    } else {
      await turns.bury(turn, nameOf(error));
      log.error(at, "turn moved to the dead letters; the conversation goes on");
    }
  }
}

/** What the host sees: nothing of lanes, connections or contacts. */
function visible(turn: SealedTurn, signal: AbortSignal): Turn {
  const { turnId, conversationId, customerConfigId, channel, contact, attempt, offered } = turn;
  const messages = turn.messages.map((message) => withPickedChoice(message, offered));
  return { turnId, conversationId, customerConfigId, channel, contact, messages, attempt, signal };
}

/** A host that never comes back must not keep its conversation waiting for ever; what it says too late is not heard. */
async function withinTime<T>(run: (until: AbortSignal) => Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  const aborter = new AbortController();
  const abort = () => aborter.abort(signal.reason);
  signal.addEventListener("abort", abort);
  let timer: NodeJS.Timeout | undefined;
  try {
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new ReplyTooLate("The host has not answered in time.");
        aborter.abort(error);
        reject(error);
      }, ms);
      timer.unref();
    });
    return await Promise.race([run(aborter.signal), tooLate]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

class ReplyTooLate extends Error {
  override readonly name = "ReplyTooLate";
}

async function collect(reply: Reply): Promise<AiResponse | string | null> {
  if (reply === null || reply === undefined) return null;
  if (typeof reply === "string" || !(Symbol.asyncIterator in reply)) return reply;
  let text = "";
  for await (const chunk of reply) text += chunk;
  return text;
}

function plan(turn: SealedTurn, response: AiResponse | string | null): PlannedSend | null {
  if (response === null) return null;
  const quoted = typeof response === "object" && response.replyTo === true;
  const lastMessageId = turn.messages.findLast(({ type }) => type !== "reaction")?.externalId;
  return planSend({
    what: { response },
    idempotencyKey: null,
    replyTo: quoted ? (lastMessageId ?? null) : null,
    ...(lastMessageId === undefined ? {} : { lastMessageId }),
    onWindowClosed: "fail",
  });
}
