/** Makes ids in the shapes Meta uses. Never seeded: two runs against one database must not collide. */
import { randomBytes, randomInt } from "node:crypto";

const BSUID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export function newWamid(): string {
  return `wamid.HBgM${randomBytes(24).toString("base64")}`;
}

export function newTraceId(): string {
  return `A${randomBytes(16).toString("base64url")}`;
}

/** A business-scoped user id: a country and letters and digits. */
export function newUserId(): string {
  return `GB.${Array.from(randomBytes(16), (byte) => BSUID_ALPHABET[byte % BSUID_ALPHABET.length]).join("")}`;
}

/** The nth invented number, from the exchange that American films use. */
export function nthPhoneNumber(count: number): string {
  return `1555${1_000_000 + count}`;
}

export function newChallenge(): string {
  return String(randomInt(1_000_000_000, 2_000_000_000));
}

export function newAccessToken(): string {
  return `EAA${randomBytes(90).toString("base64url").replace(/[-_]/g, "x")}`;
}

/** An authorization code, as long as Meta's. */
export function newCode(): string {
  return `AQ${randomBytes(120).toString("base64url")}`;
}

export function newRequestId(): string {
  return randomBytes(16).toString("base64url");
}
