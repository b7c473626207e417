/** A person is forgotten: who is meant is checked here, what is theirs is known by the store. */
import { ChannelError } from "./errors.ts";
import type { Erasure, ErasureCounts, ErasureSubject } from "./ports.ts";
import { readTenant } from "./uuid.ts";

/**
 * Forgets a person: everything that is stored of them. Safe to repeat. `docs/privacy.md` tells what stays.
 * @param subject `{ phoneNumber: "+447700900123" }` or `{ userId: "GB.5512" }`.
 * @throws ChannelError REQUEST_INVALID, STORE_UNAVAILABLE, HOST_TABLE_INCOMPATIBLE.
 */
export type Erase = (
  subject: ErasureSubject,
  options?: { readonly customerConfigId?: string | undefined },
) => Promise<ErasureCounts>;

export function createErase({ erase }: Pick<Erasure, "erase">): Erase {
  return async (subject, { customerConfigId } = {}) =>
    erase(checkSubject(subject), customerConfigId === undefined ? null : readTenant(customerConfigId));
}

/** As Meta makes them, `GB.5512` and `GB.ENT.5512`; what is long enough to be nobody else's passes, should it ever make others. */
const USER_ID = /^(?:[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}|(?=.*\d)[A-Za-z0-9._-]{12,150})$/;

/** Who is meant, as it is stored. @throws ChannelError REQUEST_INVALID. */
export function checkSubject({ phoneNumber, userId }: ErasureSubject): ErasureSubject {
  if ((phoneNumber === undefined) === (userId === undefined)) throw invalid("Give one of phoneNumber and userId.");
  if (userId !== undefined) {
    if (!USER_ID.test(userId))
      throw invalid("userId is Meta's whole id of the person, with the country that it begins with, such as GB.5512.");
    return { userId };
  }
  // As people write it: +44 7700 900123.
  const digits = phoneNumber?.replaceAll(/[\s().+-]/g, "") ?? "";
  if (!/^\d{7,15}$/.test(digits))
    throw invalid("phoneNumber is the whole number with its country code, such as +14155550123.");
  return { phoneNumber: digits };
}

function invalid(message: string): ChannelError {
  return new ChannelError("REQUEST_INVALID", message);
}
