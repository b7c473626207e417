/** What every host can rely on when Meta posts, stated once and run on Express 4 and 5, and in front of it. */
import { describe, expect, it } from "vitest";
import { quiet, VERIFY_TOKEN } from "../../support/channel.ts";
import { describeAcknowledgement } from "./acknowledgement-suite.ts";
import { inboxOf, post, request, signed, stored, tenantRows, textOf } from "./deliveries.ts";
import { describeHostParsers } from "./host-parsers-suite.ts";
import { connect, head, linesOf } from "./raw-http.ts";
import { CANARY, type Receiver, useReceiver } from "./receiver.ts";
import { describeRefusals } from "./refusals-suite.ts";

export function describeReceiving(name: string, options: { readonly inFront?: boolean } = {}): void {
  describe(name, () => {
    const receiver = useReceiver(options);

    describeHandshake(receiver);
    describeDelivery(receiver);
    describeRefusals(receiver);
    // A host's parsers never see what is taken before its app does.
    if (options.inFront !== true) describeHostParsers(receiver);
    describeAcknowledgement(receiver);

    it("took in exactly what it should have, and nothing of what it refused", async () => {
      await quiet(receiver.channel);

      expect(await tenantRows(receiver.channel)).toBeGreaterThan(0);
      expect(new Set(await inboxOf(receiver.channel))).toEqual(new Set(["äöå / <b> % @ 👩🏽‍🚀", CANARY.text]));
    });
  });
}

function describeHandshake(receiver: Receiver): void {
  describe("the handshake", () => {
    const handshake = (query: string) => request("GET", `${receiver.hook}?${query}`, {});
    const right = `hub.mode=subscribe&hub.verify_token=${VERIFY_TOKEN}`;

    it("answers the challenge as plain text that no browser interprets or keeps", async () => {
      const answer = await handshake(`${right}&hub.challenge=1158201444`);

      expect([answer.status, answer.body]).toEqual([200, "1158201444"]);
      expect(answer.headers).toMatchObject({
        "content-type": "text/plain; charset=utf-8",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
      });
    });

    it.each([
      ["a wrong token", "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1"],
      ["the token twice", `${right}&hub.verify_token=${VERIFY_TOKEN}&hub.challenge=1`],
      ["the token in a list", `hub.mode=subscribe&hub.verify_token[]=${VERIFY_TOKEN}&hub.challenge=1`],
      ["no mode", `hub.verify_token=${VERIFY_TOKEN}&hub.challenge=1`],
      ["markup for a challenge", `${right}&hub.challenge=%3Cscript%3Ealert(1)%3C/script%3E`],
      ["nothing at all", ""],
    ])("refuses %s with 403, and echoes nothing", async (_name, query) => {
      const answer = await handshake(query);

      expect(answer.status).toBe(403);
      expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(answer.body).not.toMatch(new RegExp(`script|${VERIFY_TOKEN}`));
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "HANDSHAKE_REFUSED" } });
    });
  });
}

function describeDelivery(receiver: Receiver): void {
  describe("a delivery", () => {
    it("that is signed is acknowledged with an empty 200, stored byte for byte, and applied", async () => {
      const bytes = textOf({ id: "wamid.umlaut", text: "äöå / <b> % @ 👩🏽‍🚀" });

      const answer = await post(receiver.channel, bytes);
      await quiet(receiver.channel);

      expect([answer.status, answer.body]).toEqual([200, ""]);
      const [webhook] = await stored(receiver.channel);
      expect(webhook).toMatchObject({ processed: true, error: null, payload: JSON.parse(bytes.toString()) });
      expect(webhook?.body.equals(bytes)).toBe(true);
      expect(await inboxOf(receiver.channel)).toContain("äöå / <b> % @ 👩🏽‍🚀");
    });

    it.each(["/", "?from=meta", "/?from=meta"])(
      "at the same address spelled with %s is taken in alike",
      async (ending) => {
        const bytes = receiver.fresh();

        const answer = await request("POST", receiver.hook + ending, signed(bytes), bytes);

        expect(answer.status).toBe(200);
        expect((await stored(receiver.channel))[0]?.body.equals(bytes)).toBe(true);
      },
    );

    it("in chunks, without a length, is read all the same", async () => {
      const bytes = receiver.fresh();

      const connection = await connect(receiver.hook);
      await connection.write(head(receiver.hook, ["Transfer-Encoding: chunked", ...linesOf(signed(bytes))]));
      for (const part of [bytes.subarray(0, 7), bytes.subarray(7)])
        await connection.write(`${part.length.toString(16)}\r\n${part.toString("latin1")}\r\n`);
      await connection.write("0\r\n\r\n");

      expect(await connection.answer).toMatchObject({ status: 200 });
      expect((await stored(receiver.channel))[0]?.body.equals(bytes)).toBe(true);
    });
  });
}
