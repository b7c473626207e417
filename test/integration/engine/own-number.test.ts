/** A person whom Meta names by a user id alone, and who gives their number when they are asked for it. */
import { describe, expect, it } from "vitest";
import { ADA, applyAll, delivery, type Engine, message, startEngine } from "./support.ts";

const USER = "GB.5512oQx81Zk09";

/** What the button for it sends. */
function shared(id: string): object {
  const change = message({ id, phone: null, userId: USER }) as { readonly value: { readonly messages: object[] } };
  const contacts = [{ origin: "contact_request", phones: [{ phone: `+${ADA}`, wa_id: ADA }] }];
  const messages = change.value.messages.map((one) => ({ ...one, type: "contacts", contacts }));
  return { ...change, value: { ...change.value, messages } };
}

const contacts = ({ rows }: Engine) =>
  rows("select phone_number, user_id from whatsapp_contacts where merged_into is null");

describe("a number that a person shares when asked for it", () => {
  it("is theirs from then on, by either name", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", phone: null, userId: USER }))]);
    await engine.store.inbox.record([delivery(shared("wamid.2"))]);
    await engine.store.inbox.record([delivery(message({ id: "wamid.3" }))]);
    await applyAll(engine.store);

    expect(await contacts(engine)).toEqual([{ phone_number: ADA, user_id: USER }]);
    expect(await engine.rows("select distinct conversation_id from messages")).toHaveLength(1);
  });

  it("leads to the contact whom we knew by it", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", phone: null, userId: USER }))]);
    await engine.store.inbox.record([delivery(shared("wamid.3"))]);
    await applyAll(engine.store);

    expect(await contacts(engine)).toEqual([{ phone_number: ADA, user_id: USER }]);
  });
});
