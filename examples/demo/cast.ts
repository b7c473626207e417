/** Who appears in the recordings: the business numbers to connect and the people who write to them. */
import type { PersonOptions, SimulatedNumber } from "@omniops/whatsapp/simulator";
import type { Payload } from "@omniops/whatsapp/testing";

/** The number that the terminal chats with. All ids of the demo are invented. */
export const CHAT_NUMBER: SimulatedNumber = {
  phoneNumberId: "300000000000001",
  wabaId: "200000000000001",
  displayPhoneNumber: "+44 7700 900000",
  verifiedName: "Demo Shop",
};

/** Nobody has connected it yet: that is for a browser, by the button on the integrations page. */
export const NEW_NUMBER: SimulatedNumber = {
  phoneNumberId: "300000000000099",
  wabaId: "200000000000099",
  displayPhoneNumber: "+44 7700 900099",
  verifiedName: "Demo Bakery",
  isRegistered: false,
  isSubscribed: false,
};

/** The person at the terminal. */
export const YOU = { name: "You", phoneNumber: "447700900999", userId: null } as const satisfies PersonOptions;

/** What Meta's dashboard puts where the account stands when its test button is pressed: nobody can connect that. */
const NO_ACCOUNT = "0";

/** Every number that a recording speaks of, and one for each account that is named without its number. */
export function numbersIn(payloads: readonly Payload[]): readonly SimulatedNumber[] {
  const byId = new Map([[CHAT_NUMBER.phoneNumberId, CHAT_NUMBER]]);
  for (const { phoneNumberId, wabaId, displayPhoneNumber } of payloads.flatMap(({ numbers }) => numbers)) {
    if (wabaId === NO_ACCOUNT || byId.has(phoneNumberId)) continue;
    const verifiedName = `Shop ${byId.size}`;
    byId.set(phoneNumberId, { phoneNumberId, wabaId, displayPhoneNumber: asDialled(displayPhoneNumber), verifiedName });
  }
  const accounts = new Set([...byId.values()].map(({ wabaId }) => wabaId));
  for (const wabaId of payloads.flatMap((payload) => payload.wabaIds)) {
    if (wabaId === NO_ACCOUNT || accounts.has(wabaId)) continue;
    accounts.add(wabaId);
    const phoneNumberId = String(300_000_000_000_001 + byId.size);
    const displayPhoneNumber = `+44 7700 9001${String(byId.size).padStart(2, "0")}`;
    byId.set(phoneNumberId, { phoneNumberId, wabaId, displayPhoneNumber, verifiedName: `Shop ${byId.size}` });
  }
  return [...byId.values()];
}

/** As Graph shows a number: webhooks have its digits alone. */
function asDialled(digits: string): string {
  return digits.replace(/^1(\d{3})(\d{3})(\d{4})$/, "+1 $1-$2-$3").replace(/^(?=\d{7,}$)/, "+");
}

/** One person for all the names that Meta gives somebody over the recordings. */
export function peopleIn(payloads: readonly Payload[]): readonly PersonOptions[] {
  const people: { name: string | null; addresses: Set<string> }[] = [];
  for (const { name, addresses } of payloads.flatMap((payload) => payload.people)) {
    const known = people.find((person) => addresses.some((address) => person.addresses.has(address)));
    const person = known ?? { name: null, addresses: new Set() };
    if (known === undefined) people.push(person);
    person.name ??= name;
    for (const address of addresses) person.addresses.add(address);
  }
  return people.map(({ name, addresses }) => {
    const phoneNumber = [...addresses].find((address) => /^\d+$/.test(address));
    const userId = [...addresses].find((address) => address !== phoneNumber) ?? null;
    return {
      name: name ?? phoneNumber ?? userId ?? "Somebody",
      userId,
      ...(phoneNumber !== undefined && { phoneNumber }),
    };
  });
}
