/** A person is forgotten: who is meant is checked here, what is theirs is known by the store. */
import { ChannelError } from "./errors.ts";
import type { Erasure, ErasureCounts, ErasureSubject } from "./ports.ts";
import { isUuid } from "./uuid.ts";

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
  return async (subject, { customerConfigId } = {}) => {
    if (customerConfigId !== undefined && !isUuid(customerConfigId))
      throw invalid("customerConfigId is a customer_configs.id (uuid).");
    return erase(checkSubject(subject), customerConfigId ?? null);
  };
}

/** Who is meant, as it is stored. @throws ChannelError REQUEST_INVALID. */
export function checkSubject({ phoneNumber, userId }: ErasureSubject): ErasureSubject {
  if ((phoneNumber === undefined) === (userId === undefined)) throw invalid("Give one of phoneNumber and userId.");
  if (userId !== undefined) {
    if (!/^[A-Za-z0-9._-]{1,150}$/.test(userId)) throw invalid("userId is Meta's id of the person, such as GB.5512.");
    return { userId };
  }
  // As people write it: +44 7700 900123.
  const digits = phoneNumber?.replaceAll(/[\s().+-]/g, "") ?? "";
  if (!/^\d{5,20}$/.test(digits))
    throw invalid("phoneNumber is the whole number with its country code, such as +14155550123.");
  return { phoneNumber: digits };
}

function invalid(message: string): ChannelError {
  return new ChannelError("REQUEST_INVALID", message);
}
