/** T12 to T14: whoever floods the route with bytes, or starves it of them, costs little memory and keeps nobody out. */
import { once } from "node:events";
import net from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectEnded } from "../../faults/support/pass-lines.ts";
import { APP_SECRET, TOKEN_KEYS, VERIFY_TOKEN } from "../../support/channel.ts";
import { spawnNode } from "../../support/node-process.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { post, request, signed, textOf } from "../receiving/deliveries.ts";
import { head } from "../receiving/raw-http.ts";

const MB = 1024 * 1024;
const FORGED = `X-Hub-Signature-256: sha256=${"0".repeat(64)}`;

let child: ReturnType<typeof spawnNode>;
let database: TestDatabase;
let channel: { readonly url: string };
let count = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  const config = { metaAppSecret: APP_SECRET, verifyToken: VERIFY_TOKEN, tokenKeys: TOKEN_KEYS };
  child = spawnNode(
    ["--import", "tsx", "test/integration/security/children/channel-process.ts", database.url, JSON.stringify(config)],
    { withIpc: true },
  );
  const [message] = (await once(child, "message")) as [{ port: number }];
  channel = { url: `http://127.0.0.1:${message.port}/api/whatsapp` };
});
afterAll(() => void child.kill("SIGKILL"));

// Compiled and warm, and as large as it gets by itself.
beforeEach(() => signedTraffic(40));

async function memory(): Promise<{ readonly peak: number; readonly now: number }> {
  child.send("how much?");
  const [message] = await once(child, "message");
  return message as { peak: number; now: number };
}

/** Each acknowledged, whatever else is going on. */
async function signedTraffic(many: number): Promise<void> {
  for (let n = 0; n < many; n += 20) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post(channel, textOf({ id: `wamid.flood${++count}`, text: "hello" }))),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  }
}

/** Sends until somebody stops it. @returns how many bytes the other side has let through, and its answer. */
function pour(lines: readonly string[], body: Uint8Array, bytes: number): Promise<{ sent: number; status: string }> {
  const { hostname, port } = new URL(channel.url);
  const socket = net.connect({ host: hostname, port: Number(port) });
  return new Promise((resolve) => {
    let said = "";
    let written = 0;
    socket.on("data", (chunk) => {
      said += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve({ sent: socket.bytesWritten, status: said.split(" ")[1] ?? "" }));
    const more = (): void => {
      while (!socket.destroyed && written < bytes) {
        written += body.length;
        if (!socket.write(body)) {
          socket.once("drain", more);
          return;
        }
      }
    };
    socket.once("connect", () => {
      socket.write(head(`${channel.url}/webhook`, lines));
      more();
    });
  });
}

const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536, "x"), Buffer.from("\r\n")]);
const block = Buffer.alloc(65_536, "x");

describe("a hundred bodies of 50 MB at once", () => {
  it.each<[string, readonly string[], Buffer, RegExp, number?]>([
    ["with their length, unsigned", [`Content-Length: ${50 * MB}`], block, /^401$/],
    ["with their length, as if signed", [`Content-Length: ${50 * MB}`, FORGED], block, /^413$/],
    ["in chunks, unsigned", ["Transfer-Encoding: chunked"], chunk, /^401$/],
    // 400: what a busy machine has not read by its deadline is broken off as incomplete.
    ["in chunks, as if signed", ["Transfer-Encoding: chunked", FORGED], chunk, /^(?:400|413|503)$/],
    ["that claim to be 4 MB, as if signed", [`Content-Length: ${4 * MB}`, FORGED], block, /^(?:400|401|503)$/, 4 * MB],
  ])(
    "%s, cost less than 64 MiB of memory, and what is signed is answered meanwhile",
    async (_how, lines, body, told, bytes = 50 * MB) => {
      const before = (await memory()).now;
      const floods = Array.from({ length: 100 }, () => pour(lines, body, bytes));
      await signedTraffic(60);
      const outcomes = await Promise.all(floods);
      const { peak } = await memory();

      for (const { status } of outcomes) expect(status).toMatch(told);
      expect(outcomes.filter(({ sent }) => sent > 12 * MB)).toEqual([]);
      expect((peak - before) / MB).toBeLessThan(64);
      await signedTraffic(20);
    },
    60_000,
  );
});

describe("a body that is small only while it is packed", () => {
  it("is refused with 415 and never unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MB));
    expect(bomb.length).toBeLessThan(MB);
    const before = (await memory()).now;

    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        request("POST", `${channel.url}/webhook`, { ...signed(bomb), "content-encoding": "gzip" }, bomb),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 415));
    expect(((await memory()).peak - before) / MB).toBeLessThan(64);
  });
});

describe("five hundred connections that send a byte now and then", () => {
  it("are all closed soon after the deadline of ten seconds, and what is signed is answered meanwhile", async () => {
    const { port } = new URL(channel.url);
    const startedAt = performance.now();
    const firsts = {
      head: "POST /api/whatsapp/webhook HTTP/1.1\r\nHost: a\r\nX-Slow: ",
      body: head("http://a/api/whatsapp/webhook", ["Content-Length: 1000", FORGED]),
    };
    const sockets = await Promise.all(
      Array.from({ length: 500 }, async (_, n) => {
        const socket = net.connect({ host: "127.0.0.1", port: Number(port) });
        socket.on("error", () => {});
        socket.resume();
        const closed = new Promise<number>((resolve) => {
          socket.once("close", () => resolve(performance.now() - startedAt));
        });
        await once(socket, "connect");
        socket.write(n % 2 === 0 ? firsts.head : firsts.body);
        return { socket, closed };
      }),
    );
    const drip = setInterval(() => {
      for (const { socket } of sockets) if (socket.writable) socket.write("x");
    }, 1_000);

    await signedTraffic(100);
    const open = sockets.filter(({ socket }) => !socket.destroyed).length;
    const lives = await Promise.all(sockets.map(({ closed }) => closed));
    clearInterval(drip);

    expect(open).toBe(500);
    expect(Math.max(...lives)).toBeLessThan(20_000);
    expectEnded("the longest life", Math.max(...lives), 12_000);
    await signedTraffic(20);
  }, 30_000);
});
