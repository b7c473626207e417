/** Signs bytes with the app secret, as webhooks and `appsecret_proof` do. */
import { createHmac } from "node:crypto";

/** The value of `X-Hub-Signature-256`. */
export function signatureOf(bytes: Uint8Array, appSecret: string): string {
  return `sha256=${createHmac("sha256", appSecret).update(bytes).digest("hex")}`;
}

/** The only `appsecret_proof` that Meta takes for this token. */
export function appSecretProofOf(accessToken: string, appSecret: string): string {
  return createHmac("sha256", appSecret).update(accessToken).digest("hex");
}
