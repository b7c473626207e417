/** The people on WhatsApp: who they are, and how an address finds them. */
import { newUserId, nthPhoneNumber } from "./ids.ts";

/** Who a person is. Without phone number and user id both are invented. */
export type PersonOptions = {
  readonly name: string;
  /** Digits with or without `+`. */
  readonly phoneNumber?: string;
  /** The business-scoped user id; `null` for payloads as they were before 2026. */
  readonly userId?: string | null;
  readonly parentUserId?: string;
  readonly username?: string;
  /** Meta keeps the number from the business, as it may for people with a username. Default false. */
  readonly hidesPhoneNumber?: boolean;
  /** Whether messages to this person become `read`. Default true. */
  readonly sendsReadReceipts?: boolean;
};

/** What the simulator knows of somebody. */
export type PersonRecord = {
  /** Ours, never on the wire. */
  readonly key: string;
  readonly name: string;
  readonly phoneNumber: string | null;
  readonly userId: string | null;
  readonly parentUserId: string | null;
  readonly username: string | null;
  readonly hidesPhoneNumber: boolean;
  readonly sendsReadReceipts: boolean;
};

export type People = {
  add(options: PersonOptions): PersonRecord;
  /** The person at this phone number or user id; somebody unknown is made up on the spot. */
  at(address: { readonly phoneNumber: string | null; readonly userId: string | null }): PersonRecord;
  /** The same for somebody who writes: whichever of the two was new finds them from now on. */
  meet(address: { readonly phoneNumber: string | null; readonly userId: string | null }): PersonRecord;
  list(): readonly PersonRecord[];
};

export function createPeople(): People {
  const byAddress = new Map<string, PersonRecord>();
  const all: PersonRecord[] = [];
  let count = 0;

  function add(options: PersonOptions): PersonRecord {
    count += 1;
    const isNobody = options.phoneNumber === undefined && (options.userId ?? null) === null;
    const person: PersonRecord = {
      key: `person-${count}`,
      name: options.name,
      phoneNumber: digitsOf(options.phoneNumber ?? null) ?? (isNobody ? nthPhoneNumber(count) : null),
      userId: options.userId === undefined ? newUserId() : options.userId,
      parentUserId: options.parentUserId ?? null,
      username: options.username ?? null,
      hidesPhoneNumber: options.hidesPhoneNumber ?? false,
      sendsReadReceipts: options.sendsReadReceipts ?? true,
    };
    all.push(person);
    if (person.phoneNumber !== null) byAddress.set(person.phoneNumber, person);
    if (person.userId !== null) byAddress.set(person.userId, person);
    if (person.parentUserId !== null) byAddress.set(person.parentUserId, person);
    return person;
  }

  const at: People["at"] = ({ phoneNumber, userId }) => {
    const known =
      (phoneNumber !== null ? byAddress.get(phoneNumber) : undefined) ??
      (userId !== null ? byAddress.get(userId) : undefined);
    if (known) return known;
    return add({
      name: phoneNumber ?? userId ?? "",
      ...(phoneNumber !== null && { phoneNumber }),
      ...(userId !== null && { userId }),
    });
  };

  return {
    add,
    list: () => all,
    at,
    meet(address) {
      const person = at(address);
      for (const name of [address.phoneNumber, address.userId])
        if (name && !byAddress.has(name)) byAddress.set(name, person);
      return person;
    },
  };
}

/** Meta takes a number with `+`, spaces, hyphens and parentheses, and knows it by its digits. */
export function digitsOf(phoneNumber: string): string;
export function digitsOf(phoneNumber: string | null): string | null;
export function digitsOf(phoneNumber: string | null): string | null {
  return phoneNumber?.replace(/[+\-() ]/g, "") ?? null;
}
