/** The one address of each person, whichever of theirs somebody is named by. */
import type { Fixture } from "./fixtures.ts";
import { objectsIn, parsed, textOf } from "./lossless-json.ts";
import { valuesIn } from "./webhook-values.ts";

/** Somebody has a number and a user id, and either may name them. */
export function canonicalAddresses(fixtures: readonly Fixture[]): (address: string) => string {
  const numbers = new Map<string, string>();
  for (const { bytes } of fixtures)
    for (const { contacts } of valuesIn(parsed(bytes)))
      for (const { wa_id, user_id } of objectsIn(contacts)) {
        const [number, user] = [textOf(wa_id), textOf(user_id)];
        if (number !== null && user !== null) numbers.set(user, number);
      }
  return (address) => numbers.get(address) ?? address;
}
