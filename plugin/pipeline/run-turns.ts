/** Stage `turn`: asks the host's AI, at least once per turn, and puts its answer into the outbox, exactly once. */
import { requireAiResponse } from "../ai-response.ts";
import type { AiResponse, ReceivedMedia, Turn, TurnMessage } from "../contract.ts";
import { ChannelError, type ErrorCode, nameOf } from "../errors.ts";
import { mimeTypeOf } from "../media/mime-type.ts";
import type {
  ClaimedLane,
  FinishedTurn,
  Host,
  Lanes,
  Logger,
  MediaState,
  MediaStore,
  SealedTurn,
  StoredTurnMessage,
  Turns,
} from "../ports.ts";
import { endsProcesses, ProcessEnded } from "./crash-suspects.ts";
import { isStoreDown, mayBeAnItems } from "./failure.ts";
import { createGroupCommit } from "./group-commit.ts";
import { type LaneHandler, NOTHING_TO_DO_MS } from "./lane-worker.ts";
import { withPickedChoice } from "./pick-choice.ts";
import type { SendWishes } from "./plan-send.ts";
import type { PrepareSend } from "./prepare-send.ts";
import { type RetrySchedule, retryDelayMs } from "./retry-schedule.ts";
import { AnswerChanged, createSayInPieces, isStream } from "./say-in-pieces.ts";
import type { createShowThinking } from "./show-thinking.ts";
import { withinTime } from "./within-time.ts";

export type TurnDeps = {
  readonly lanes: Lanes;
  readonly turns: Turns;
  readonly host: Host;
  readonly prepareSend: PrepareSend;
  readonly log: Logger;
  readonly retry: RetrySchedule;
  readonly random: () => number;
  /** How long the host may think about one turn. */
  readonly replyTimeoutMs: number;
  readonly showThinking: ReturnType<typeof createShowThinking>;
  readonly mediaStore: Pick<MediaStore, "get">;
  readonly mediaUrl: (id: string) => string;
  readonly onAnswered: () => void;
  /** A host event waits. */
  readonly onHandoff: () => void;
  /** A turn waits for its media, and may be asked in so many milliseconds. */
  readonly onWaiting: (delayMs: number) => void;
};

export function createRunTurns(deps: TurnDeps): LaneHandler {
  const { lanes, turns, host, prepareSend, log, retry, random, replyTimeoutMs, showThinking, onAnswered } = deps;
  const finish = createGroupCommit<FinishedTurn, boolean>({
    commit: turns.finish,
    isItemsFault: mayBeAnItems,
    maxItems: 200,
  });
  const prepare = (turn: SealedTurn, response: AiResponse | string) =>
    prepareSend(wishesOf(turn, response), () => Promise.resolve(turn));
  const sayInPieces = createSayInPieces({ turns, prepare, onQueued: onAnswered });

  return async function runTurns(claimed, { signal, finished }): Promise<void> {
    const sealed = await turns.seal(claimed);
    const without = claimed.filter((_, i) => sealed[i] === null);
    const waits = without.length === 0 ? new Map<ClaimedLane, number>() : await turns.waits(without);
    await Promise.all(
      claimed.map(async (lane, i) => {
        const turn = sealed[i] ?? null;
        try {
          if (turn === null) await wait(lane, waits.get(lane));
          else await runTurn(turn, signal);
          finished(lane);
        } catch (error) {
          // Its neighbours are still thinking and keep their leases.
          finished(lane, error);
        }
      }),
    );
  };

  async function wait(lane: ClaimedLane, waitMs: number | undefined): Promise<void> {
    await lanes.postpone(lane, waitMs ?? NOTHING_TO_DO_MS, false);
    // A little late, so that the lane is ready by the database's clock.
    if (waitMs !== undefined) deps.onWaiting(waitMs + 10);
  }

  async function runTurn(turn: SealedTurn, signal: AbortSignal): Promise<void> {
    // It was tried that often and never came back to say why: it takes the process down with it, or longer than a tick.
    if (endsProcesses(turn.lane, retry) || triesOf(turn) > retry.maxAttempts) return fail(turn, new ProcessEnded());
    try {
      const ended = await ask(turn, signal);
      // A turn that ends after stop gave its lane back is fenced out and runs again elsewhere.
      await finish.add({ turn, ...ended });
      if (ended.send !== null) onAnswered();
      if (ended.handoff === true) deps.onHandoff();
    } catch (error) {
      if (signal.aborted) return;
      await fail(turn, error);
    }
  }

  /**
   * Nobody is asked while staff is talking, or when all that was written has been taken back.
   * @returns what is left to be queued and told when the turn ends.
   */
  async function ask(turn: SealedTurn, signal: AbortSignal): Promise<Omit<FinishedTurn, "turn">> {
    if (turn.isPaused || turn.messages.length === 0) return SILENCE;
    const hide = showThinking(turn);
    let answered = false;
    try {
      return await withinTime(replyTimeoutMs, signal, async (until) => {
        const reply = await host.reply(visible(turn, until, deps));
        if (reply === null || reply === undefined) return SILENCE;
        if (typeof reply !== "string" && !isStream(reply)) requireAiResponse(reply);
        if (isStream(reply) || turn.saidBefore.length > 0) {
          answered = await sayInPieces(turn, reply, until);
          return SILENCE;
        }
        const send = await prepare(turn, reply);
        answered = send.parts.length > 0;
        return { send, handoff: typeof reply === "object" && reply.handoff === true };
      });
    } finally {
      hide(answered);
    }
  }

  async function fail(turn: SealedTurn, error: unknown): Promise<void> {
    const attempt = triesOf(turn);
    const at = { stage: "turn", turnId: turn.turnId, attempt: turn.attempt, error: nameOf(error) };
    if (isStoreDown(error)) {
      log.warn(at, "database away; the turn runs again");
      // Each time the host is asked anew, so it waits as long as after failures of its own.
      await turns.putOff(turn, retryDelayMs(retry, turn.lane.attempts + 1, random));
    } else if (attempt < retry.maxAttempts && !isHopeless(error)) {
      await lanes.postpone(turn.lane, retryDelayMs(retry, attempt, random), true);
      log.warn(at, "the host did not answer the turn; trying again later");
    } else {
      await turns.bury(turn, reasonOf(error));
      log.error({ ...at, reason: reasonOf(error) }, "turn moved to the dead letters; the conversation goes on");
    }
  }
}

/** Nothing more to be said. */
const SILENCE = { send: null };

/** Without those that ended with their process, by whose doing nobody knows: they are counted apart. */
function triesOf({ attempt, lane }: SealedTurn): number {
  return attempt - lane.crashes;
}

/** What the host sees: nothing of lanes, connections or contacts. */
function visible(turn: SealedTurn, signal: AbortSignal, at: MediaPlaces): Turn {
  const { turnId, conversationId, customerConfigId, channel, contact, attempt, offered } = turn;
  const messages = turn.messages.map(
    ({ receivedAt: _, ...message }, i): TurnMessage => ({
      ...withPickedChoice(message, offered[i] ?? []),
      media: message.media === null ? null : visibleMedia(message.media, turn.media, at),
    }),
  );
  return { turnId, conversationId, customerConfigId, channel, contact, messages, attempt, signal };
}

type MediaPlaces = Pick<TurnDeps, "mediaStore" | "mediaUrl">;

function visibleMedia(
  { id, mimeType, ...said }: NonNullable<StoredTurnMessage["media"]>,
  states: readonly MediaState[],
  { mediaStore, mediaUrl }: MediaPlaces,
): ReceivedMedia {
  // A turn of an earlier version has none; a person may have been forgotten meanwhile.
  const found = states.find((one) => one.id === id);
  return {
    ...said,
    mimeType: mimeTypeOf(found?.mime ?? null, mimeType),
    id: found?.id ?? null,
    state: found?.state ?? "expired",
    size: found?.size ?? null,
    url: found === undefined ? null : mediaUrl(found.id),
    async open() {
      if (found?.state === "pending")
        throw new ChannelError(
          "MEDIA_PENDING",
          "These media are still on their way: onEvent hears when they have come.",
        );
      const object = found?.storageKey == null ? null : await mediaStore.get(found.storageKey);
      if (object === null)
        throw new ChannelError("MEDIA_EXPIRED", found?.reason ?? "These media have no file, or no longer.");
      return object.bytes;
    },
  };
}

const HOPELESS: ReadonlySet<ErrorCode> = new Set([
  "MESSAGE_INVALID",
  "TEMPLATE_INVALID",
  "MEDIA_NOT_FOUND",
  "MEDIA_TYPE_UNSUPPORTED",
]);

/** The same answer would be refused again, and asking again would make another one of it. */
function isHopeless(error: unknown): boolean {
  if (error instanceof AnswerChanged || error instanceof ProcessEnded) return true;
  return error instanceof ChannelError && HOPELESS.has(error.code);
}

/** Our own messages never hold what somebody wrote. */
function reasonOf(error: unknown): string {
  const isOurs = error instanceof ChannelError || error instanceof AnswerChanged;
  return isOurs ? `${nameOf(error)}: ${error.message}` : nameOf(error);
}

function wishesOf(turn: SealedTurn, response: AiResponse | string): SendWishes {
  const quoted = typeof response === "object" && response.replyTo === true;
  const lastMessageId = turn.messages.findLast(({ type }) => type !== "reaction")?.externalId;
  return {
    what: { response },
    idempotencyKey: null,
    replyTo: quoted ? (lastMessageId ?? null) : null,
    ...(lastMessageId === undefined ? {} : { lastMessageId }),
    onWindowClosed: "fail",
  };
}
