/** Tokens at rest: tweetnacl secretbox, `v1.kid.nonce.box`, with what the token belongs to inside the ciphertext. */
import { randomBytes } from "node:crypto";
import nacl from "tweetnacl";
import { ChannelError } from "../../plugin/errors.ts";
import type { SecretBox, SecretContext } from "../../plugin/ports.ts";

export type TokenKey = { readonly kid: string; readonly key: Uint8Array };

/**
 * secretbox has no associated data and does not commit to its key (its README says so): hence the context is part of
 * the plaintext and checked, and the key is chosen by its id and never by trial.
 * @param keys the first encrypts; all decrypt.
 */
export function createSecretBox(keys: readonly TokenKey[]): SecretBox {
  const [current] = keys;
  if (current === undefined) throw new ChannelError("CONFIG_INVALID", "WHATSAPP_TOKEN_KEYS needs at least one key.");

  return {
    seal(secret, context) {
      const nonce = randomBytes(nacl.secretbox.nonceLength);
      const plain = Buffer.from(JSON.stringify({ ...pick(context), kid: current.kid, secret }));
      const box = nacl.secretbox(plain, nonce, current.key);
      return ["v1", current.kid, encode(nonce), encode(box)].join(".");
    },

    open(sealed, context) {
      const [version, kid, nonce, box, ...rest] = sealed.split(".");
      const key = keys.find((candidate) => candidate.kid === kid);
      if (version !== "v1" || kid === undefined || nonce === undefined || box === undefined || rest.length > 0)
        throw unreadable("it is not a v1 box");
      if (key === undefined) throw unreadable("its key id is not in WHATSAPP_TOKEN_KEYS");
      const plain = openBox(decode(box), decode(nonce), key.key);
      const { secret, ...inside } = plain;
      const wanted = { ...pick(context), kid };
      if (JSON.stringify(inside) !== JSON.stringify(wanted) || typeof secret !== "string")
        throw unreadable("it belongs to another row or tenant");
      return secret;
    },
  };
}

function pick({ customerConfigId, rowId, field }: SecretContext): SecretContext {
  return { customerConfigId, rowId, field };
}

function openBox(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Record<string, unknown> {
  if (nonce.length !== nacl.secretbox.nonceLength) throw unreadable("its nonce has the wrong length");
  const plain = nacl.secretbox.open(box, nonce, key);
  if (plain === null) throw unreadable("it was changed, or sealed with another key of the same id");
  return readEnvelope(Buffer.from(plain).toString("utf8"));
}

/** JSON.parse quotes what it cannot read, which here is a token. */
function readEnvelope(plain: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(plain);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {}
  throw unreadable("it holds no envelope of ours");
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/** Strictly canonical, so that no second spelling of a box opens. */
function decode(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64url");
  if (encode(bytes) !== text) throw unreadable("it is not base64url");
  return bytes;
}

function unreadable(why: string): ChannelError {
  return new ChannelError("SECRET_UNREADABLE", `A stored token cannot be opened: ${why}. Reconnect the number.`);
}
