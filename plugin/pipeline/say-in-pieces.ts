/** An answer that comes as a stream is sent paragraph by paragraph, each once, also over several attempts. */
import type { AiResponse, Reply } from "../contract.ts";
import { ChannelError } from "../errors.ts";
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
 * @throws AnswerChanged; ChannelError MESSAGE_INVALID of a stream that is none of text.
 */
export function createSayInPieces({ turns, prepare, onQueued }: SayInPiecesDeps) {
  return async function sayInPieces(turn: SealedTurn, reply: NonNullable<Reply>, until: AbortSignal): Promise<boolean> {
    if (typeof reply === "object" && !isStream(reply)) throw new AnswerChanged();
    let pieces = 0;
    for await (const text of streamParagraphs(isStream(reply) ? strings(reply) : [reply])) {
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

/** The body of a `fetch`, a file, the parts of an SDK: the types say what they are, and not every host has types. */
async function* strings(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const chunk of stream) {
    if (typeof chunk !== "string")
      throw new ChannelError("MESSAGE_INVALID", `The answer of reply: ${notStrings(chunk)}`);
    yield chunk;
  }
}

function notStrings(chunk: unknown): string {
  return chunk instanceof Uint8Array
    ? "a stream must yield strings, and this one yields bytes. Decode it first, as with TextDecoderStream."
    : `a stream must yield strings, and this one yields ${chunk === null ? "null" : `a value of type ${typeof chunk}`}. Give the text of each part alone.`;
}

export class AnswerChanged extends Error {
  override readonly name = "AnswerChanged";
  constructor() {
    super("Part of the answer was sent before its stream broke, and the next attempt began otherwise.");
  }
}
