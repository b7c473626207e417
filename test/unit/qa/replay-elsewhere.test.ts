/** `replay --to` a host that thinks before it answers: nobody is done before it is, and nothing is no promise. */
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { replayCommand } from "../../../cli/replay.ts";
import { standInFor } from "../../../cli/replay-elsewhere.ts";
import { freePort } from "../../../examples/host/free-port.ts";
import type { Manifest } from "../../../qa/fixtures.ts";
import { objectOf, objectsIn, parsed, textOf } from "../../../qa/lossless-json.ts";
import { valuesIn } from "../../../qa/webhook-values.ts";

const NUMBER = "301777000333444";
const request = (body: string, value: object) => {
  const metadata = { display_phone_number: "15550100", phone_number_id: NUMBER };
  const change = { field: "messages", value: { messaging_product: "whatsapp", metadata, ...value } };
  return JSON.stringify({ object: body, entry: [{ id: "201555000111222", changes: [change] }] });
};
const written = (body: string) =>
  request("whatsapp_business_account", {
    contacts: [{ profile: { name: "Z" }, wa_id: "4915112345678" }],
    messages: [{ from: "4915112345678", id: `wamid.${body}`, timestamp: "1790000000", type: "text", text: { body } }],
  });
const read = (id: string) =>
  request("whatsapp_business_account", { statuses: [{ id, status: "read", recipient_id: "4915112345678" }] });

let folder: string;
let host: Server;
let to: readonly string[];
/** How long it thinks; null: it never answers. */
let thinkMs: number | null;

beforeEach(async () => {
  vi.stubEnv("META_APP_SECRET", "a secret");
  vi.stubEnv("WHATSAPP_ACCESS_TOKEN", "EAAx");
  vi.spyOn(console, "log").mockImplementation(() => {});
  folder = await mkdtemp(join(tmpdir(), "omniops-qa-"));
  const port = await freePort();
  host = createServer(async (asked, answer) => {
    const bytes = Buffer.concat(await asked.toArray());
    answer.end();
    for (const { messages } of valuesIn(parsed(bytes)))
      for (const { from, text } of objectsIn(messages)) {
        if (thinkMs === null) continue;
        const body = JSON.stringify({
          messaging_product: "whatsapp",
          to: from,
          type: "text",
          text: { body: `re: ${textOf(objectOf(text).body)}` },
        });
        const headers = { authorization: "Bearer EAAx", "content-type": "application/json" };
        const url = `http://127.0.0.1:${port}/v25.0/${NUMBER}/messages`;
        setTimeout(() => void fetch(url, { method: "POST", headers, body }).catch(() => {}), thinkMs);
      }
  }).listen(0, "127.0.0.1");
  await once(host, "listening");
  to = ["--to", `http://127.0.0.1:${(host.address() as AddressInfo).port}`, "--graph-port", String(port)];
  return async () => {
    host.closeAllConnections();
    host.close();
    await rm(folder, { recursive: true });
  };
});

const MANIFEST: Manifest = {
  format: 1,
  version: "0",
  text: "keep",
  promised: "recorded",
  numbers: [{ phoneNumberId: NUMBER, wabaId: "201555000111222", displayPhoneNumber: "15550100" }],
  templates: [],
  names: [],
  deliveries: [],
};

const answersIn = async (name: string) =>
  (
    JSON.parse(await readFile(join(folder, `${name}.sends.json`), "utf8")) as { message: { text: { body: string } } }[]
  ).map(({ message }) => message.text.body);

it("waits longer than a host gathers and thinks, also where nothing is promised", async () => {
  thinkMs = 900;
  await writeFile(join(folder, "a.request.json"), written("qa"));

  const code = await replayCommand.run([folder, ...to, "--update"]);

  expect(code).toBe(0);
  expect(await answersIn("a")).toEqual(["re: qa"]);
});

it("waits as long as it is told, so that no answer is taken for the next one's, and for no answer to a status", async () => {
  thinkMs = 900;
  for (const name of ["a", "c"]) await writeFile(join(folder, `${name}.request.json`), written(`q${name}`));
  for (const at of Array.from({ length: 12 }, (_, i) => i))
    await writeFile(join(folder, `b${at}.request.json`), read(`wamid.${at}`));

  const code = await replayCommand.run([folder, ...to, "--update", "--patience", "2"]);

  expect(code).toBe(0);
  expect([await answersIn("a"), await answersIn("c")]).toEqual([["re: qa"], ["re: qc"]]);
});

it("knows the templates of the recording, for the account that the host has in its place", async () => {
  const components = [{ type: "BODY", text: "Hello" }];
  const template = { wabaId: "201555000111222", name: "hello", language: "en", components };
  const { meta } = await standInFor(
    { fixtures: [], manifest: { ...MANIFEST, templates: [template] } },
    { to: to[1] ?? "", port: 0, number: "301999/201999", wrong: (sentence) => new Error(sentence) },
  );

  expect(meta.templates.list("201999")).toContainEqual(expect.objectContaining({ name: "hello", components }));
  await meta.stop();
});

it("takes nothing for no promise: with --update it fails in one sentence, and writes nothing", async () => {
  thinkMs = null;
  await writeFile(join(folder, "a.request.json"), written("qa"));
  await writeFile(join(folder, "a.sends.json"), "[]\n");

  const run = replayCommand.run([folder, ...to, "--update", "--patience", "1"]);

  await expect(run).rejects.toThrow(/^Nothing was sent, so nothing is promised: /);
  expect(await readdir(folder)).toEqual(["a.request.json", "a.sends.json"]);
});
