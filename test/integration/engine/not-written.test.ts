/** What comes as a message from somebody known, and is nothing that they wrote to the business alone. */
import type { HostEvent } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { ADA, applyAll, delivery, type Engine, message, startEngine } from "./support.ts";

const UNKNOWN_TYPE = { errors: [{ code: 131_051, title: "Message type unknown" }] };

/** A message of Ada's, of any type. */
function sent(id: string, over: object): object {
  const change = message({ id }) as { readonly value: { readonly messages: readonly object[] } };
  const [{ text: _text, ...bare }] = change.value.messages as [{ readonly text: object }];
  return { ...change, value: { ...change.value, messages: [{ ...bare, ...over }] } };
}

async function seen({ rows }: Engine) {
  const [contacts, conversations, inbox, windows, turns, told] = await Promise.all([
    rows("select name, updated_at from whatsapp_contacts"),
    rows("select id from conversations"),
    rows("select content from messages order by created_at"),
    rows("select * from whatsapp_sessions"),
    rows("select messages from whatsapp_turns order by seq"),
    rows<{ event: HostEvent }>("select event from whatsapp_host_events order by id"),
  ]);
  return { rows: { contacts, conversations, inbox, windows, turns }, told: told.map(({ event }) => event) };
}

describe("what somebody known did not write to the business alone", () => {
  it.each([
    ["a text in a group", { type: "text", text: { body: "hi all" }, group_id: "Y2FwaV9ncm91cDox" }],
    ["a system message of tomorrow", { type: "system", system: { type: "user_grew_up", body: "…" } }],
    ["an opened chat", { type: "request_welcome" }],
    ["an edit that is not shown to us", { type: "unsupported", ...UNKNOWN_TYPE, unsupported: { type: "edit" } }],
    ["a deletion that is not shown to us", { type: "unsupported", ...UNKNOWN_TYPE, unsupported: { type: "revoke" } }],
    ["a reaction that is not shown to us", { type: "unsupported", ...UNKNOWN_TYPE, unsupported: { type: "reaction" } }],
    ["a reaction to nothing", { type: "reaction", reaction: { emoji: "👍" } }],
    ["a deletion of nothing", { type: "revoke", revoke: {} }],
    [
      "an edit to a type of tomorrow",
      { type: "edit", edit: { original_message_id: "wamid.1", message: { type: "hologram", hologram: {} } } },
    ],
  ])("%s is told to the host and changes nothing of theirs", async (_name, over) => {
    const engine = await startEngine({ hasListener: true });
    const at = new Date(Date.now() - 3_600_000);
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", at }))]);
    await applyAll(engine.store);
    const before = await seen(engine);

    await engine.store.inbox.record([delivery(sent("wamid.2", over))]);
    await applyAll(engine.store);

    const after = await seen(engine);
    expect(after.rows).toEqual(before.rows);
    expect(after.told.slice(before.told.length)).toMatchObject([
      { kind: "unsupported", event: { messageId: "wamid.2", from: { phoneNumber: ADA } } },
    ]);
  });

  it("a poll is shown as something that cannot be read, and opens the window", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", at: new Date(Date.now() - 3_600_000) }))]);
    await applyAll(engine.store);
    const before = await seen(engine);

    await engine.store.inbox.record([
      delivery(sent("wamid.2", { type: "unsupported", ...UNKNOWN_TYPE, unsupported: { type: "poll" } })),
    ]);
    await applyAll(engine.store);

    const { rows } = await seen(engine);
    expect(rows.inbox).toEqual([...before.rows.inbox, { content: "[A message that WhatsApp cannot show here]" }]);
    expect(rows.windows).not.toEqual(before.rows.windows);
    expect(rows.turns).toEqual(before.rows.turns);
  });
});
