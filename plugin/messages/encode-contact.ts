/** A contact card → Graph's `contacts[]`. */
import type { ContactCard } from "../contract.ts";
import { given, type Wire } from "./wire.ts";

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/contacts-messages */
export function encodeContact({ name, phones, emails, urls, addresses, organization, birthday }: ContactCard): Wire {
  return given({
    name: encodeName(name),
    phones: phones?.map(({ phone, type, waId }) => given({ phone, type, wa_id: waId })),
    emails: emails?.map(given),
    urls: urls?.map(given),
    addresses: addresses?.map(({ countryCode, ...address }) => given({ ...address, country_code: countryCode })),
    org: organization === undefined ? undefined : given(organization),
    birthday,
  });
}

/** Meta wants one more part of the name beside the whole: where there is none, the whole stands in for it. */
function encodeName({ formatted, first, last, middle, prefix, suffix }: ContactCard["name"]): Wire {
  const parts = given({ first_name: first, last_name: last, middle_name: middle, prefix, suffix });
  return { formatted_name: formatted, ...(Object.keys(parts).length === 0 ? { first_name: formatted } : parts) };
}
