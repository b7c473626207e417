/** The memory that strangers may fill together: who has to go when it is spent, and that nobody else does. */
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createUnprovenReads } from "../../../plugin/http/unproven-reads.ts";

type Request = PassThrough & IncomingMessage;

const KB = 1024;
const said: string[] = [];
const note = (_fields: object, message: string) => void said.push(message);
const log = { debug: note, info: note, warn: note, error: note };
const requestOf = (): Request => Object.assign(new PassThrough(), { headers: {} }) as unknown as Request;
const oneTurn = () => new Promise((resolve) => setImmediate(resolve));
/** Long enough for a body of two parts to be read to its end. */
const turn = async () => {
  for (let n = 0; n < 5; n++) await oneTurn();
};

function reading(read: ReturnType<typeof createUnprovenReads>) {
  const request = requestOf();
  const state = { outcome: "reading" };
  read(request).then(
    (bytes) => {
      state.outcome = `${bytes.byteLength}`;
    },
    (error: { code: string }) => {
      state.outcome = error.code;
    },
  );
  return { request, state };
}

describe("bodies that are read before anybody is known", () => {
  it("may come in any number while they hold little", async () => {
    const read = createUnprovenReads(log, 10_000 * KB);
    const all = Array.from({ length: 100 }, () => reading(read));

    for (const { request } of all) request.end("x".repeat(10 * KB));
    await turn();

    expect(all.map(({ state }) => state.outcome)).toEqual(all.map(() => `${10 * KB}`));
  });

  it("lose the largest when they hold too much, and the others go on", async () => {
    const read = createUnprovenReads(log, 200 * KB);
    const [small, large, other] = [reading(read), reading(read), reading(read)];

    small.request.write("x".repeat(10 * KB));
    large.request.write("x".repeat(90 * KB));
    other.request.write("x".repeat(80 * KB));
    await turn();
    expect([small, large, other].map(({ state }) => state.outcome)).toEqual(["reading", "OVERLOADED", "reading"]);

    for (const { request } of [small, large, other]) request.end("y");
    await turn();
    expect([small, large, other].map(({ state }) => state.outcome)).toEqual([
      `${10 * KB + 1}`,
      "OVERLOADED",
      `${80 * KB + 1}`,
    ]);
  });

  it("count by their number too: of those that send nothing the oldest goes", async () => {
    const read = createUnprovenReads(log, 160 * KB);
    const all = Array.from({ length: 11 }, () => reading(read));
    await turn();

    expect(all.map(({ state }) => state.outcome)).toEqual(["OVERLOADED", ...Array(10).fill("reading")]);
  });

  it("are a line in the log once a flood, and again with the next one", async () => {
    const read = createUnprovenReads(log, 160 * KB);
    said.length = 0;
    for (const flood of [1, 2]) {
      const all = Array.from({ length: 40 }, () => reading(read));
      await turn();
      for (const { request } of all) request.destroy();
      await turn();
      expect(said).toEqual(Array(flood).fill("unsigned bodies fill the memory set aside for them"));
    }
  });

  it("are read one at a time while many pour in, and each gets its turn", async () => {
    const read = createUnprovenReads(log, 100_000 * KB);
    const all = Array.from({ length: 20 }, () => reading(read));
    let reads = 0;
    for (const { request } of all) request.write("x");
    // The first part of each has come with its headers, and is taken as it comes.
    await turn();
    for (const { request } of all) {
      request.on("data", () => {
        reads++;
      });
      for (let n = 0; n < 10; n++) request.write("x".repeat(64 * KB));
      request.end();
    }
    // And one more, because nobody was in line when it came.
    await oneTurn();

    let most = 0;
    while (all.some(({ state }) => state.outcome === "reading")) {
      reads = 0;
      await oneTurn();
      most = Math.max(most, reads);
    }

    expect(most).toBe(1);
    expect(all.map(({ state }) => state.outcome)).toEqual(all.map(() => `${640 * KB + 1}`));
  });

  it("go on past one that sends nothing, and one that is gone", async () => {
    const read = createUnprovenReads(log, 100_000 * KB);
    const all = Array.from({ length: 20 }, () => reading(read));
    for (const { request } of all) request.write("x".repeat(KB));
    for (const { request } of all.slice(0, 5)) request.destroy();

    for (const { request } of all.slice(10)) request.end("x".repeat(64 * KB));
    while (all.slice(10).some(({ state }) => state.outcome === "reading")) await oneTurn();

    expect(all.map(({ state }) => state.outcome)).toEqual([
      ...Array(5).fill("BODY_INCOMPLETE"),
      ...Array(5).fill("reading"),
      ...Array(10).fill(`${65 * KB}`),
    ]);
  });

  it("give back what they held, however they end", async () => {
    const read = createUnprovenReads(log, 120 * KB);
    for (let n = 0; n < 20; n++) {
      const { request, state } = reading(read);
      request.write("x".repeat(60 * KB));
      await turn();
      if (n % 2 === 0) request.end();
      else request.destroy();
      await turn();
      expect(state.outcome).toBe(n % 2 === 0 ? `${60 * KB}` : "BODY_INCOMPLETE");
    }
  });
});
