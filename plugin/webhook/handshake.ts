/** The GET that Meta sends when a callback URL is set: answers its challenge, or refuses. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ChannelError } from "../errors.ts";

// What Meta sends is a decimal number; a little more is allowed, nothing that a browser could take for markup.
const CHALLENGE = /^[0-9A-Za-z_-]{1,128}$/;

/**
 * @returns the challenge, to be sent back as plain text.
 * @throws ChannelError HANDSHAKE_REFUSED
 * @see https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
 */
export function answerHandshake(query: Readonly<Record<string, unknown>>, verifyToken: string): string {
  const { "hub.mode": mode, "hub.verify_token": token, "hub.challenge": challenge } = query;
  const known = typeof token === "string" && sameSecret(token, verifyToken);
  if (mode !== "subscribe" || !known || typeof challenge !== "string" || !CHALLENGE.test(challenge))
    throw new ChannelError(
      "HANDSHAKE_REFUSED",
      "Webhook verification failed: check that WHATSAPP_VERIFY_TOKEN equals the verify token in the Meta app.",
    );
  return challenge;
}

/** Digests have one length, which timingSafeEqual demands, and hide the length of the secret. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
