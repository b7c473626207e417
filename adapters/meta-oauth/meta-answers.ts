/** Meta's token endpoint answers nearly as RFC 6749 says: this is the rest of the way. */
import type { CustomFetch } from "openid-client";

/** Far more than a token's answer has. */
const MAX_ANSWER = 256 * 1024;

/** Meta's own error: `{ error: { code, error_subcode, … } }`, where OAuth has a word. */
export class MetaRefusal extends Error {
  override readonly name = "MetaRefusal";
  readonly status: number;
  readonly error: Readonly<Record<string, unknown>>;

  constructor(status: number, error: Readonly<Record<string, unknown>>) {
    super("Meta refused the request.");
    this.status = status;
    this.error = error;
  }
}

/**
 * A fetch for openid-client whose answers of Meta's are what it expects.
 * @throws MetaRefusal for an error of Meta's shape.
 */
export function readMetaAnswers(fetch: typeof globalThis.fetch): CustomFetch {
  return async (url, { body, headers, method, redirect, signal }) => {
    const answer = await fetch(url, { body: body as string, headers, method, redirect, signal: signal ?? null });
    const text = await answer.text();
    const json = text.length > MAX_ANSWER ? null : readObject(text);
    const error = json?.error;
    if (typeof error === "object" && error !== null)
      throw new MetaRefusal(answer.status, error as Readonly<Record<string, unknown>>);
    // What never expires comes without a life, or with none.
    if (json !== null && !(Number(json.expires_in) > 0)) delete json.expires_in;
    return new Response(json === null ? "" : JSON.stringify(json), {
      status: answer.status,
      headers: { "content-type": "application/json" },
    });
  };
}

function readObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
