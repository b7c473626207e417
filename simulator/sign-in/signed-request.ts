/** `signed_request`, which Meta posts when a person removes the app or wants their data deleted. */
import { createHmac } from "node:crypto";
import type { WireObject } from "../wire.ts";

/** Signature and payload with a dot between them, as Meta spells it: base64url without padding. */
export function signedRequestOf(payload: WireObject, appSecret: string): string {
  const encoded = Buffer.from(JSON.stringify(payload)).toString("base64url");
  return `${createHmac("sha256", appSecret).update(encoded).digest("base64url")}.${encoded}`;
}
