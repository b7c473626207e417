/** An answer that comes as a stream is sent paragraph by paragraph, each once, also over several attempts. */
import type { AiResponse, Reply } from "../contract.ts";
import type { PlannedSend, SealedTurn, Turns } from "../ports.ts";
import { streamParagraphs } from "../transformer/stream-paragraphs.ts";

export type SayInPiecesDeps = {
  readonly turns: Pick<Turns, "append">;
  readonly prepare: (turn: SealedTurn, text: string) => Promise<PlannedSend>;
  /** A piece was put into the outbox. */
  readonly onQueued: () => void;
};

/**
 * What an earlier attempt has queued cannot be taken back: a stream that begins with the same pieces goes on after them,
 * and one that does not ends the turn, for two answers in one would be worse than half of one.
 * @returns whether anything was said, now or before.
 * @throws AnswerChanged
 */
export function createSayInPieces({ turns, prepare, onQueued }: SayInPiecesDeps) {
  return async function sayInPieces(turn: SealedTurn, reply: NonNullable<Reply>, until: AbortSignal): Promise<boolean> {
    if (typeof reply === "object" && !isStream(reply)) throw new AnswerChanged();
    let pieces = 0;
    for await (const text of streamParagraphs(isStream(reply) ? reply : [reply])) {
      until.throwIfAborted();
      const send = await prepare(turn, text);
      if (send.parts.length === 0) continue;
      const before = turn.saidBefore[pieces];
      if (before !== undefined && before !== send.requestHash) throw new AnswerChanged();
      until.throwIfAborted();
      // Without the lease somebody else goes on with this turn.
      if (before === undefined && !(await turns.append(turn, pieces, send))) return true;
      pieces += 1;
      onQueued();
    }
    if (pieces < turn.saidBefore.length) throw new AnswerChanged();
    return pieces > 0;
  };
}

export function isStream(reply: AiResponse | string | AsyncIterable<string>): reply is AsyncIterable<string> {
  return typeof reply === "object" && Symbol.asyncIterator in reply;
}

export class AnswerChanged extends Error {
  override readonly name = "AnswerChanged";
  constructor() {
    super("Part of the answer was sent before its stream broke, and the next attempt began otherwise.");
  }
}
