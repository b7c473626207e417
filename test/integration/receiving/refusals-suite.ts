/** What is refused, and how: whatever is not signed, too large, packed, or broken off. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { post, signed, stored } from "./deliveries.ts";
import { connect, head, linesOf, type RawAnswer } from "./raw-http.ts";
import type { Receiver } from "./receiver.ts";

const LIMIT = 4 * 1024 * 1024;

export function describeRefusals(receiver: Receiver): void {
  describe("a delivery that is not Meta's", () => {
    it.each<[string, (right: string) => readonly string[]]>([
      ["no signature", () => []],
      ["an empty signature", () => ["X-Hub-Signature-256:"]],
      ["a wrong signature", () => [`X-Hub-Signature-256: sha256=${"0".repeat(64)}`]],
      ["a signature one digit short", (right) => [`X-Hub-Signature-256: ${right.slice(0, -1)}`]],
      ["a signature in upper case", (right) => [`X-Hub-Signature-256: sha256=${right.slice(7).toUpperCase()}`]],
      ["digits without their prefix", (right) => [`X-Hub-Signature-256: ${right.slice(7)}`]],
      ["the old SHA-1 header only", (right) => [`X-Hub-Signature: ${right.replace("sha256", "sha1")}`]],
      ["the right signature under the old name", (right) => [`X-Hub-Signature: ${right}`]],
      ["the right signature twice", (right) => [`X-Hub-Signature-256: ${right}`, `X-Hub-Signature-256: ${right}`]],
      [
        "a wrong signature before the right one",
        (right) => [`X-Hub-Signature-256: sha256=${"0".repeat(64)}`, `X-Hub-Signature-256: ${right}`],
      ],
    ])("with %s gets an empty 401, and nothing is stored", async (_name, signature) => {
      const bytes = receiver.fresh();
      const lines = signature(signed(bytes)["x-hub-signature-256"] as string);

      const connection = await connect(receiver.hook);
      await connection.write(
        head(receiver.hook, ["Content-Type: application/json", `Content-Length: ${bytes.length}`, ...lines]),
      );
      await connection.write(bytes);

      expect(await connection.answer).toMatchObject({ status: 401, body: "" });
      expect(await stored(receiver.channel)).toEqual([]);
    });

    it("is refused before its body is read when it is not even signed", async () => {
      const connection = await connect(receiver.hook);
      await connection.write(head(receiver.hook, ["Content-Length: 1000"]));

      const answer = await connection.answer;

      expect(answer).toMatchObject({ status: 401, body: "" });
      expect(answer?.headers).toMatch(/^connection: close$/im);
    });

    it("gets a 401 when one byte of the body was changed on the way", async () => {
      const bytes = receiver.fresh();
      const changed = Buffer.from(bytes);
      changed[bytes.length >> 1]! ^= 1;

      expect(await post(receiver.channel, changed, signed(bytes))).toMatchObject({ status: 401, body: "" });
      expect(await stored(receiver.channel)).toEqual([]);
    });
  });

  describe("a body that is too large or packed", () => {
    it("is refused with 413 by its announced length, before a byte of it is sent", async () => {
      const connection = await connect(receiver.hook);
      await connection.write(
        head(receiver.hook, [`Content-Length: ${LIMIT + 1}`, ...linesOf(signed(Buffer.from("x")))]),
      );

      const answer = await connection.answer;

      expect(answer?.status).toBe(413);
      expect(JSON.parse(answer?.body ?? "")).toMatchObject({ error: { code: "BODY_TOO_LARGE" } });
      expect(answer?.headers).toMatch(/^connection: close$/im);
    });

    it("is refused with 413 as soon as its chunks pass the limit", async () => {
      const bytes = Buffer.alloc(LIMIT + 1, "x");
      const connection = await connect(receiver.hook);
      await connection.write(head(receiver.hook, ["Transfer-Encoding: chunked", ...linesOf(signed(bytes))]));
      await connection.write(`${bytes.length.toString(16)}\r\n`);
      await connection.write(bytes);

      expect(await connection.answer).toMatchObject({ status: 413 });
      expect(await stored(receiver.channel)).toEqual([]);
    });

    it("is taken up to the limit itself", async () => {
      const bytes = Buffer.alloc(LIMIT, " ");
      bytes.write("{}");

      expect(await post(receiver.channel, bytes)).toMatchObject({ status: 200 });
      expect((await stored(receiver.channel))[0]?.body.equals(bytes)).toBe(true);
    });

    it.each(["gzip", "deflate", "br", "gzip, identity"])("is refused with 415 when packed as %s", async (encoding) => {
      const bytes = gzipSync(receiver.fresh());

      const answer = await post(receiver.channel, bytes, { ...signed(bytes), "content-encoding": encoding });

      expect(answer.status).toBe(415);
      expect(await stored(receiver.channel)).toEqual([]);
    });
  });

  describe("a body that breaks off", () => {
    it.each(["ends", "is reset"])(
      "after any number of bytes is never acknowledged when the connection %s",
      async (how) => {
        const bytes = receiver.fresh();
        const cuts = Array.from({ length: Math.ceil(bytes.length / 10) }, (_, i) => i * 10);

        const answers: (RawAnswer | null)[] = [];
        await Promise.all(
          cuts.map(async (cut) => {
            const connection = await connect(receiver.hook);
            await connection.write(head(receiver.hook, [`Content-Length: ${bytes.length}`, ...linesOf(signed(bytes))]));
            await connection.write(bytes.subarray(0, cut));
            if (how === "ends") connection.end();
            else connection.reset();
            answers.push(await connection.answer);
          }),
        );

        expect(answers).toHaveLength(cuts.length);
        expect(answers.filter((answer) => answer !== null && answer.status !== 400)).toEqual([]);
        expect(await post(receiver.channel, bytes)).toMatchObject({ status: 200 });
        expect(await stored(receiver.channel)).toHaveLength(1);
      },
    );
  });
}
