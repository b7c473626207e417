/** The main job: a signed webhook comes in, the host answers, the answer goes out. */
import { describe, expect, it } from "vitest";
import { allQuiet } from "../support/channel.ts";
import { channelFor } from "./engine/support.ts";

describe("a turn", () => {
  it("shows several messages of one delivery in the host's inbox in the order in which they stand in it", async () => {
    const channel = await channelFor();
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });

    channel.meta.batch(Array.from({ length: 30 }, (_, n) => ({ from: ada, text: `line ${n}` })));
    await allQuiet(channel);

    const rows = await channel.rows<{ content: string }>(
      "select content from messages where role = 'user' order by created_at",
    );
    expect(rows.map(({ content }) => content)).toEqual(Array.from({ length: 30 }, (_, n) => `line ${n}`));
  });

  it("answers what a person writes, and tells the host what became of the answer", async () => {
    // A status that is applied before the answer is leaves the acceptance nothing to tell.
    const channel = await channelFor({ meta: { statusDelayMs: 300 } });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });

    ada.says("Is it open today? 👩🏽‍🚀");
    const answer = (await channel.meta.waitFor(() => channel.meta.accepted[0], 5_000))!;
    await allQuiet(channel);

    expect(answer.text).toBe("You said: Is it open today? 👩🏽‍🚀");
    expect(channel.meta.accepted).toHaveLength(1);
    const messages = await channel.rows("select role, content, status, external_id from messages order by created_at");
    expect(messages).toEqual([
      {
        role: "user",
        content: "Is it open today? 👩🏽‍🚀",
        status: "received",
        external_id: expect.stringMatching(/^wamid\./),
      },
      { role: "assistant", content: "You said: Is it open today? 👩🏽‍🚀", status: "read", external_id: answer.wamid },
    ]);
    expect(channel.events.map((event) => (event.kind === "status" ? event.state : event.kind))).toEqual(
      expect.arrayContaining(["message", "accepted", "sent", "delivered", "read"]),
    );
  });
});
