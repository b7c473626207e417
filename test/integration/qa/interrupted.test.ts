/** Replays that are interrupted or killed, and one that a chat API answers: what becomes of their schemas. */
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { replayCommand } from "../../../cli/replay.ts";
import { bundleProgram, ROOT } from "../../support/bundled-program.ts";
import { spawnNode } from "../../support/node-process.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const CLI = bundleProgram("cli/main.ts");
const TEXT = "fixtures/webhooks/text.request.json";

let database: TestDatabase;
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  folder = await mkdtemp(join(tmpdir(), "omniops-qa-"));
  await writeFile(file("thinks.mjs"), "export const reply = () => new Promise(() => {});");
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

function replay(reply: string) {
  const env = { ...process.env, DATABASE_URL: database.url };
  const child = spawnNode([CLI, "replay", TEXT, "--reply", file(reply)], { cwd: ROOT, env, showsPeople: true });
  const said = { err: "" };
  child.stderr.on("data", (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  return { child, said, ended: once(child, "close") as Promise<[number | null, NodeJS.Signals | null]> };
}

/** Of replays. */
async function schemas(): Promise<readonly string[]> {
  const { rows } = await database.knex.raw<{ rows: readonly { nspname: string }[] }>(
    "select nspname from pg_namespace where nspname like 'whatsapp_replay_%'",
  );
  return rows.map(({ nspname }) => nspname);
}

/** Until so many replays wait for their reply. */
async function untilThinking(count: number): Promise<void> {
  for (let busy = -1; busy !== count; ) {
    const { rows } = await database.knex.raw<{ rows: readonly { name: string }[] }>(
      "select table_schema as name from information_schema.tables where table_name = 'whatsapp_turns'",
    );
    const turns = await Promise.all(
      rows.map(({ name }) => database.knex.raw("select 1 from ??.whatsapp_turns", [name])),
    );
    busy = turns.filter((found) => found.rows.length > 0).length;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a killed replay's schema goes with the next one, a running one's stays until it is interrupted", async () => {
  const [running, killed] = [replay("thinks.mjs"), replay("thinks.mjs")];
  await untilThinking(2);
  killed.child.kill("SIGKILL");
  await killed.ended;
  expect(await schemas()).toHaveLength(2);

  const { code, out } = await replayWithChatApi();
  const after = await schemas();
  running.child.kill("SIGINT");
  const [interrupted] = await running.ended;

  expect(code).toBe(0);
  expect(out).toMatch(/ {4}· \*hi\*\n\nNothing was promised: 1 delivery, 1 sent, 0 promised\.\nReport: .*$/);
  const report = await readFile(file("report.html"), "utf8");
  expect(report).toMatch(/ --chat-api http:\/\/127\.0\.0\.1:\d+</);
  expect(report).not.toContain("s3cret");
  expect(after).toHaveLength(1);
  expect(interrupted).toBe(1);
  expect(running.said.err).toBe("Interrupted: everything that was begun is cleared away.\n");
  expect(await schemas()).toEqual([]);
}, 60_000);

async function replayWithChatApi(): Promise<{ readonly code: number; readonly out: string }> {
  const chat = createServer((request, response) => {
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/json").end('{"text":"**hi**"}');
    });
  }).listen(0, "127.0.0.1");
  await once(chat, "listening");
  const { port } = chat.address() as AddressInfo;
  const printed = vi.spyOn(console, "log").mockImplementation(() => {});
  const url = `http://127.0.0.1:${port}/?key=s3cret`;
  const code = await replayCommand.run([
    TEXT,
    "--chat-api",
    url,
    "--report",
    file("report.html"),
    "--database-url",
    database.url,
  ]);
  const out = printed.mock.calls.map(([line]) => String(line)).join("\n");
  printed.mockRestore();
  chat.closeAllConnections();
  chat.close();
  return { code, out };
}
