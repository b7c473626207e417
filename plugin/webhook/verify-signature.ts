/** Trust: exact bytes + header + app secrets → bytes known to be Meta's. Nothing is parsed before this. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { ChannelError } from "../errors.ts";

declare const verified: unique symbol;

/** Only {@link verifySignature} makes one, so parsing bytes that nobody verified does not compile. */
export type VerifiedBody = {
  readonly bytes: Uint8Array;
  /** Which app secret matched: 0 is the current one, 1 the one being rotated out. */
  readonly secretIndex: number;
  readonly [verified]: true;
};

// Lower-case hex and nothing else: Buffer.from(…, "hex") silently stops at the first bad digit.
const SIGNATURE = /^sha256=[0-9a-f]{64}$/;

/** True when the header could be a signature at all, so a body without one need not be read. */
export function looksSigned(header: string | undefined): header is string {
  return header !== undefined && SIGNATURE.test(header);
}

/**
 * @throws ChannelError SIGNATURE_INVALID, with no word on why.
 * @see https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
 */
export function verifySignature(
  bytes: Uint8Array,
  header: string | undefined,
  appSecrets: readonly string[],
): VerifiedBody {
  if (!looksSigned(header)) throw refused();
  const claimed = Buffer.from(header.slice("sha256=".length), "hex");
  // Every secret is tried even after a match, so the time taken does not tell which one it was.
  const matches = appSecrets.map((secret) =>
    timingSafeEqual(createHmac("sha256", secret).update(bytes).digest(), claimed),
  );
  const secretIndex = matches.indexOf(true);
  if (secretIndex === -1) throw refused();
  return { bytes, secretIndex } as VerifiedBody;
}

function refused(): ChannelError {
  return new ChannelError("SIGNATURE_INVALID", "The delivery is not signed with this app's secret.");
}
