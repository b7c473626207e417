/** Meta's `signed_request`: text → who it is about and when it was made, if this app's secret has signed it. Pure. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { ChannelError } from "../errors.ts";
import { parseStorableJson } from "../webhook/storable-json.ts";
import { asNumber, asObject, asText } from "../webhook/wire.ts";

export type SignedRequest = {
  /** The Meta user, as this app knows them. */
  readonly metaUserId: string;
  readonly issuedAt: Date;
};

/** Meta's and our clock may differ. */
const MAX_AHEAD_MS = 10 * 60 * 1000;
/** As long as Meta tries again. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;
const MAX_ID_LENGTH = 150;

// Nothing but its alphabet: Buffer.from(…, "base64url") takes anything.
const PARTS = /^([A-Za-z0-9_-]+={0,2})\.([A-Za-z0-9_-]+={0,2})$/;

/**
 * @throws ChannelError SIGNED_REQUEST_INVALID, with no word on why.
 * @see https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
 */
export function readSignedRequest(text: unknown, secrets: readonly string[], now: Date): SignedRequest {
  const [, signature = "", payload = ""] = (typeof text === "string" && PARTS.exec(text)) || [];
  const claimed = Buffer.from(signature, "base64url");
  // The payload as it came, still encoded. Every secret is tried, so the time taken does not tell which one it was.
  const matches = secrets.map((secret) => {
    const expected = createHmac("sha256", secret).update(payload).digest();
    return claimed.length === expected.length && timingSafeEqual(claimed, expected);
  });
  if (payload === "" || !matches.includes(true)) throw refused();
  const said = asObject(parseStorableJson(Buffer.from(payload, "base64url").toString("utf8")));
  const metaUserId = asText(said?.user_id);
  const issuedAt = new Date((asNumber(said?.issued_at) ?? Number.NaN) * 1000);
  const age = now.getTime() - issuedAt.getTime();
  if (typeof said?.algorithm !== "string" || said.algorithm.toUpperCase() !== "HMAC-SHA256") throw refused();
  if (metaUserId === null || metaUserId.length > MAX_ID_LENGTH) throw refused();
  if (!(age >= -MAX_AHEAD_MS && age <= MAX_AGE_MS)) throw refused();
  return { metaUserId, issuedAt };
}

function refused(): ChannelError {
  return new ChannelError("SIGNED_REQUEST_INVALID", "The request is not signed with this app's secret.");
}
