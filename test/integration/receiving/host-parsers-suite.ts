/** Hosts that parse bodies before we see them: what works, and what they are told where it cannot. */
import express from "express";
import { describe, expect, it } from "vitest";
import { TENANT } from "../../support/channel.ts";
import { post, request, signed, stored } from "./deliveries.ts";
import { mount } from "./host.ts";
import { connect, head, linesOf } from "./raw-http.ts";
import type { Receiver } from "./receiver.ts";

const LIMIT = 4 * 1024 * 1024;

export function describeHostParsers(receiver: Receiver): void {
  describe("a host with body parsers of its own", () => {
    it("may run express.json() for everything when that keeps the bytes", async () => {
      const host = await mount(receiver.channel, (app) =>
        app.use(
          express.json({
            limit: "4mb",
            verify: (request, _response, buffer) => void Object.assign(request, { rawBody: buffer }),
          }),
        ),
      );
      const bytes = receiver.fresh();

      expect(await post(host, bytes)).toMatchObject({ status: 200, body: "" });
      expect((await stored(receiver.channel))[0]?.body.equals(bytes)).toBe(true);
    });

    it.each([
      ["express.json()", () => express.json()],
      ["express.text()", () => express.text({ type: "*/*" })],
      ["express.urlencoded()", () => express.urlencoded({ extended: true, type: "*/*" })],
    ])("is told how to mount us when its %s has consumed the bytes", async (_name, parser) => {
      const host = await mount(receiver.channel, (app) => app.use(parser()));

      const answer = await post(host, receiver.fresh());

      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.body)).toEqual({
        error: {
          code: "RAW_BODY_MISSING",
          message: expect.stringMatching(/before express\.json\(\).*verify: .*req\.rawBody = buffer/),
        },
      });
      expect(receiver.channel.logs).toContainEqual(
        expect.objectContaining({ level: "error", message: expect.stringContaining("express.json({ verify:") }),
      );
      expect(await stored(receiver.channel)).toEqual([]);
    });

    it("may run express.raw() for everything, and mount us anywhere", async () => {
      const use = express.raw({ type: "*/*", limit: "4mb" });
      const host = await mount(receiver.channel, (app) => app.use(use), "/a/b/c");
      const bytes = receiver.fresh();

      expect(await post(host, bytes)).toMatchObject({ status: 200 });
      expect((await stored(receiver.channel))[0]?.body.equals(bytes)).toBe(true);
    });

    it("may run parsers for other content types, which leave our bytes alone", async () => {
      const host = await mount(receiver.channel, (app) =>
        app.use(express.urlencoded({ extended: true }), express.text()),
      );
      const bytes = receiver.fresh();

      expect(await post(host, bytes)).toMatchObject({ status: 200 });
      expect((await stored(receiver.channel))[0]?.body.equals(bytes)).toBe(true);
    });

    it("cannot raise our limit with its own", async () => {
      const host = await mount(receiver.channel, (app) => app.use(express.raw({ type: "*/*", limit: "8mb" })));
      const bytes = Buffer.alloc(LIMIT + 1, " ");
      const [connection, lines] = [await connect(host.url), linesOf(signed(bytes))];
      await connection.write(head(`${host.url}/webhook`, ["Transfer-Encoding: chunked", ...lines]));
      await connection.write(`${bytes.length.toString(16)}\r\n`);
      await connection.write(bytes);
      await connection.write("\r\n0\r\n\r\n");

      expect(await connection.answer).toMatchObject({ status: 413 });
      expect(await stored(receiver.channel)).toEqual([]);
    });

    it("reads no error page of its own: an error of ours is JSON, and a later route is not reached", async () => {
      const host = await mount(receiver.channel, (app) => app.use(express.json()));

      const answer = await post(host, receiver.fresh());

      expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(answer.body).not.toMatch(/<html|at .*:\d+:\d+/);
    });

    it.each(["{}", "[]"])("that parses %s for a tenant's route hears what is wrong with it", async (json) => {
      const host = await mount(receiver.channel, (app) => app.use(express.json()));
      const headers = { "content-type": "application/json", "content-length": json.length, "x-tenant": TENANT };

      const answer = await request("POST", `${host.url}/send`, headers, Buffer.from(json));

      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "REQUEST_INVALID" } });
    });
  });
}
