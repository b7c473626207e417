/** A host's chat pipeline behind HTTP: POSTs each turn to `CHAT_API_URL` and reads an AI response. */
import type { AiResponse, Turn } from "../../plugin/contract.ts";
import { ChannelError } from "../../plugin/errors.ts";

/** Where the host's chat pipeline listens, and how long it may take. */
export type ChatApiOptions = {
  /** Takes a POST of a `Turn` as JSON, without its signal and attempt; answers 200 with an `AiResponse` or a JSON string, or 204. */
  readonly url: string;
  /** Sent along, e.g. `{ authorization: "Bearer …" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** In milliseconds, default 120000: language models take their time. */
  readonly timeoutMs?: number;
  /** For a proxy or tracer. Default: Node's own. */
  readonly fetch?: typeof globalThis.fetch;
};

/** Node's timers take no more, and one that is given more is over at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * For a chat pipeline behind HTTP: each turn is posted as JSON, with its `turnId` as `Idempotency-Key`.
 * @returns a `reply` for `createWhatsAppPlugin`. 200 with JSON is the answer, 204 is silence; anything else is tried
 * again by the channel with the same `turnId`.
 * @throws ChannelError CONFIG_INVALID.
 */
export function createChatApi(options: ChatApiOptions) {
  const { url, headers = {}, timeoutMs = 120_000, fetch = globalThis.fetch } = options ?? {};
  if (!isHttp(url))
    throw new ChannelError(
      "CONFIG_INVALID",
      "url must be the chat API's address, such as https://chat.internal/turn.",
      {
        retry: "fix",
      },
    );
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > LONGEST_TIMER_MS)
    throw new ChannelError("CONFIG_INVALID", `timeoutMs must be whole milliseconds from 1 to ${LONGEST_TIMER_MS}.`, {
      retry: "fix",
    });
  return async function reply({ signal, attempt: _attempt, ...turn }: Turn): Promise<AiResponse | string | null> {
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/json",
        accept: "application/json",
        "idempotency-key": turn.turnId,
      },
      body: JSON.stringify(turn),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    }).catch((cause: unknown) => {
      throw failed("it could not be reached, or took too long", cause);
    });
    if (answer.status === 204) return null;
    if (answer.status !== 200) throw failed(`it answered ${answer.status}`);
    const value: unknown = await answer.json().catch(() => undefined);
    if (value === null) return null;
    if (typeof value === "string" || (typeof value === "object" && !Array.isArray(value)))
      return value as AiResponse | string;
    throw failed("its answer is not an AI response");
  };
}

function isHttp(url: unknown): boolean {
  return typeof url === "string" && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function failed(why: string, cause?: unknown): ChannelError {
  return new ChannelError("CHAT_API_FAILED", `The chat API did not answer the turn: ${why}.`, {
    retry: "backoff",
    cause,
  });
}
