/** The work of a QA engineer from end to end: a conversation is recorded, scrubbed, checked, replayed the same and replayed changed. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Turn } from "@omniops/whatsapp";
import {
  type ReplayHostOptions,
  readFixtures,
  readManifest,
  replayFixtures,
  startReplayHost,
  type WhatsAppMatchers,
  whatsappMatchers,
} from "@omniops/whatsapp/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { checkFixtureCommand } from "../../../cli/check-fixture.ts";
import type { Command } from "../../../cli/command.ts";
import { recordCommand } from "../../../cli/record.ts";
import { replayCommand } from "../../../cli/replay.ts";
import { freePort } from "../../../examples/host/free-port.ts";
import { ACCESS_TOKEN, APP_SECRET, allQuiet, NUMBER, startChannel, type TestChannel } from "../../support/channel.ts";

/** The transformer as it stands, and as somebody has changed it: what was bold is italic. */
const transformer = vi.hoisted(() => ({ isChanged: false }));
vi.mock("../../../plugin/transformer/transform-response.ts", async (original) => {
  const real = await original<typeof import("../../../plugin/transformer/transform-response.ts")>();
  const transformResponse: typeof real.transformResponse = (...args) => {
    const said = real.transformResponse(...args);
    if (!transformer.isChanged) return said;
    const messages = JSON.stringify(said.messages).replace(/\*(\w[^*]*)\*/g, "_$1_");
    return { ...said, messages: JSON.parse(messages) };
  };
  return { ...real, transformResponse };
});

/** The checker, and one that finds so many places. */
const checker = vi.hoisted(() => ({ finds: 0 }));
vi.mock("../../../qa/check.ts", async (original) => {
  const real = await original<typeof import("../../../qa/check.ts")>();
  const found = (at: number) => ({ file: "0001-message.request.json", path: `.entry[${at}]`, what: "a name" });
  const findLeaks: typeof real.findLeaks = (...args) =>
    checker.finds === 0 ? real.findLeaks(...args) : Array.from({ length: checker.finds }, (_, at) => found(at));
  return { ...real, findLeaks };
});

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: as vitest declares it.
  interface Matchers<T = any> extends WhatsAppMatchers<T> {}
}

const COMMANDS: Readonly<Record<string, Command>> = {
  record: recordCommand,
  "check-fixture": checkFixtureCommand,
  replay: replayCommand,
};
const ADA = { name: "Adalberta Quill", phoneNumber: "447700900123", username: "adalberta.q" };
const BOB = { name: "Bohumil Novak", phoneNumber: "420777900456" };

/** What the host answers, as a module that the command loads as well. `BOLD` is how it marks what it echoes. */
const REPLY = `export function reply(turn) {
  const said = turn.messages.map(({ text, content }) => content?.title ?? text ?? "a file").join(" and ");
  if (/menu/i.test(said)) return { text: "What would you like?", choices: [{ id: "tea", title: "Tea" }, { id: "cake", title: "Cake" }] };
  return "You said: BOLD" + said + "BOLD.\\n\\n- one\\n- two";
}`;

let folder: string;
let channel: TestChannel;
let replyAsRecorded: (turn: Turn) => string;
const file = (name: string) => join(folder, name);

/** In this process: starting one a dozen times would take most of the test's time. */
async function cli(name: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const printed = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    const code = await COMMANDS[name]!.run([...args, "--database-url", channel.database.url]);
    return { code, out: printed.mock.calls.map(([line]) => `${line}\n`).join("") };
  } finally {
    printed.mockRestore();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omniops-qa-"));
  vi.stubEnv("TMPDIR", folder);
  await writeFile(file("reply.mjs"), REPLY.replaceAll("BOLD", "**"));
  await writeFile(file("changed.mjs"), REPLY.replaceAll("BOLD", "~~"));
  const { reply } = (await import(file("reply.mjs"))) as { reply: (turn: Turn) => string };
  replyAsRecorded = reply;
  channel = await startChannel({ reply });
  const { meta } = channel;
  const [ada, bob] = [meta.person(ADA), meta.person(BOB)];
  const says = async (act: () => string) => {
    act();
    await allQuiet(channel);
  };
  await says(() => ada.says("I am Adalberta Quill, my mail is ada@quill.example, call +44 7700 900123"));
  await says(() => bob.says("Adalberta told me to ask for Bohumil's order 420777900456"));
  await says(() => ada.says("menu please"));
  await says(() => ada.press("Tea"));
  await says(() => ada.sendsMedia({ kind: "image", bytes: Buffer.from([0xff, 0xd8, 0xff, 0xe0]), mime: "image/jpeg" }));
  await says(() =>
    ada.sends({ type: "location", location: { latitude: 51.50071, longitude: -0.12461, name: "Adalberta's home" } }),
  );
}, 60_000);
afterAll(async () => {
  await channel.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Everything in a recording, with what base64 hides in it. */
async function contentsOf(name: string): Promise<string> {
  const files = await readdir(file(name));
  const texts = await Promise.all(files.map((one) => readFile(join(file(name), one), "utf8")));
  const all = texts.join("\n");
  return (
    all + [...all.matchAll(/[A-Za-z0-9+/]{12,}={0,2}/g)].map(([run]) => Buffer.from(run, "base64").toString("latin1"))
  );
}

describe.sequential("a conversation of the host's", { timeout: 60_000 }, () => {
  test("is recorded without anything of anybody, and with what was answered", async () => {
    const run = await cli("record", "--out", file("all"));

    expect(run).toMatchObject({ code: 0 });
    expect(run.out).toMatch(/^Recorded: \d+ deliveries, 6 promised sends; texts: shape\./);
    const contents = await contentsOf("all");
    for (const secret of ["adalberta", "quill", "bohumil", "novak", "7700900123", "777900456", "told me", "51.5007"])
      expect([secret, contents.toLowerCase().includes(secret)]).toEqual([secret, false]);
  });

  test("of one person holds nobody else's", async () => {
    const run = await cli("record", "--person", "+420 777 900 456", "--text", "keep", "--out", file("bob"), "--json");

    expect(run).toMatchObject({ code: 0 });
    expect(JSON.parse(run.out)).toMatchObject({ sends: 1, leaks: [] });
    const requests = (await readdir(file("bob"))).filter((name) => name.endsWith("message.request.json"));
    expect(requests).toHaveLength(1);
    // Bob's text, kept, speaks of her, and nothing of hers is recorded.
    expect((await contentsOf("bob")).toLowerCase()).not.toContain("adalberta");
  });

  test("holds only what was asked for, and with --dry-run nothing is written", async () => {
    const asked = async (...args: string[]) => {
      const { out } = await cli("record", "--out", file("dry"), "--dry-run", "--json", ...args);
      const { deliveries, more } = JSON.parse(out) as { deliveries: number; more: boolean };
      return { deliveries, more };
    };
    const [half] = await channel.rows<{ middle: Date }>(
      "select percentile_disc(0.5) within group (order by created_at) as middle from whatsapp_webhooks",
    );
    const { deliveries: all } = await asked();
    const { deliveries: statuses } = await asked("--type", "status");
    const { deliveries: before } = await asked("--until", half!.middle.toISOString());
    const { deliveries: after } = await asked("--since", half!.middle.toISOString());

    expect(await asked("--type", "message, status")).toEqual({ deliveries: all, more: false });
    expect(await asked("--type", "message")).toEqual({ deliveries: 6, more: false });
    expect(statuses).toBe(all - 6);
    expect([before > 0, after > 0, before + after]).toEqual([true, true, all]);
    expect(await asked("--limit", "2")).toEqual({ deliveries: 2, more: true });
    expect((await cli("record", "--out", file("dry"), "--dry-run", "--limit", "1")).out).toBe(
      "Recorded: 1 delivery, 1 promised send; texts: shape.\nThere are more: narrow it with --since, or raise --limit.\nChecked: no name, number, id or text of anybody is left.\nNothing was written.\n",
    );
    await expect(asked("--tenant", "00000000-0000-4000-8000-00000000000f")).rejects.toThrow("No stored webhook fits.");
    await expect(asked("--person", "+19995550000")).rejects.toThrow("Nobody is known by that number or id");
    await expect(asked("--person", "US.5512")).rejects.toThrow("Nobody is known by that number or id");
    expect(await readdir(folder)).not.toContain("dry");
  });

  test("has the same stand-ins in each recording that is made with the same salt, and times of its own if asked", async () => {
    vi.stubEnv("WHATSAPP_SCRUB_SALT", "kept secret");
    await cli("record", "--out", file("salted"), "--type", "message");
    await cli("record", "--out", file("again"), "--type", "message", "--times", "keep");
    vi.unstubAllEnvs();
    vi.stubEnv("TMPDIR", folder);
    const [salted, again] = await Promise.all([contentsOf("salted"), contentsOf("again")]);
    const first = (pattern: RegExp) => [salted, again].map((text) => pattern.exec(text)?.[1]);

    const [one, other] = first(/"from":"(\d+)"/);
    expect(one).toBe(other);
    expect((await contentsOf("all")).match(/"from":"(\d+)"/)?.[1]).not.toBe(one);
    const times = first(/"timestamp":"(\d+)"/).map((seconds) => new Date(Number(seconds) * 1000).toISOString());
    // The message was written a moment before its webhook came.
    expect(times[0]).toMatch(/^(2025-12-31T23:59:5|2026-01-01T00:00:0)/);
    expect(times[1]).not.toMatch(/^2026-01-01/);
  });

  test("is not written when the checker finds anything in it", async () => {
    checker.finds = 25;
    const told = await cli("record", "--out", file("leaky"));
    const json = await cli("record", "--out", file("leaky"), "--json");
    checker.finds = 0;

    expect(told.code).toBe(1);
    expect(told.out).toMatch(/^Something personal would be left, so nothing was written\. 25 places:$/m);
    expect(told.out.match(/^ {2}0001-message\.request\.json \.entry\[\d+\]: a name$/gm)).toHaveLength(20);
    expect(told.out).toMatch(/\n {2}… and 5 more\n$/);
    expect([json.code, JSON.parse(json.out)]).toEqual([1, expect.objectContaining({ out: null })]);
    expect(await readdir(folder)).not.toContain("leaky");
  });

  test("passes the check, and does not once somebody has put a name back", async () => {
    const before = await cli("check-fixture", file("bob"));
    const path = join(file("bob"), "0001-message.request.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"text":{"body":"', '"text":{"body":"Bohumil '));
    const after = await cli("check-fixture", file("bob"));
    await writeFile(path, text);

    expect(before).toMatchObject({ code: 0 });
    expect(after.code).toBe(1);
    expect(after.out).toMatch(
      /^0001-message\.request\.json \.entry\[0\]\.changes\[0\]\.value\.messages\[0\]\.text\.body: a name$/m,
    );
    expect(after.out).not.toContain("Bohumil");
  });

  test("replayed by the same host is answered as promised", async () => {
    const run = await cli("record", "--out", file("kept"), "--text", "keep");
    const kept = await cli("replay", file("kept"), "--reply", file("reply.mjs"));
    const shaped = await cli("replay", file("all"), "--reply", file("reply.mjs"), "--json");

    expect(run.code).toBe(0);
    expect(kept.out).toMatch(/^No difference: \d+ deliveries, 6 sent, 6 promised\.$/m);
    expect(kept).toMatchObject({ code: 0 });
    // Without its words the menu is not asked for: that one is another answer, and the only one.
    expect(JSON.parse(shaped.out)).toMatchObject({ differences: 1, refused: [] });
  });

  test("tells whoever looks at a terminal how far its replay is", async () => {
    const { isTTY } = process.stderr;
    const shown = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    process.stderr.isTTY = true;
    await cli("replay", file("kept"), "--reply", file("reply.mjs"), "--json");
    process.stderr.isTTY = isTTY;

    expect(shown.mock.calls.join("")).toMatch(/Replaying… \d+ of \d+, \d+ s/);
  });

  test("replayed by a changed host shows each difference, in one report, and exits 1", async () => {
    const report = file("report.html");

    const run = await cli("replay", file("kept"), "--reply", file("changed.mjs"), "--report", report);

    expect(run.code).toBe(1);
    expect(run.out).toMatch(/^5 differences: /m);
    expect(run.out).toMatch(/^ {8}- You said: \*.*\*\.⏎?/m);
    expect(run.out).toMatch(/^ {8}\+ You said: ~.*~\.⏎?/m);
    const html = await readFile(report, "utf8");
    expect(html.match(/<div class="row changed"/g)).toHaveLength(5);
    expect(html.match(/<div class="row same"/g)).toHaveLength(1);
    expect(html).not.toMatch(/<script|<link|src="https?:/);
  });

  test("replayed after a change of the transformer shows in one report what became of each message", async () => {
    const report = file("transformer.html");
    transformer.isChanged = true;

    const run = await cli("replay", file("kept"), "--reply", file("reply.mjs"), "--report", report);
    transformer.isChanged = false;

    expect(run.code).toBe(1);
    expect(run.out).toMatch(/ {4}✗ changed: text\.body\n {8}- You said: \*Tea\*\..*\n {8}\+ You said: _Tea_\./);
    expect(run.out).toMatch(/^5 differences: \d+ deliveries, 6 sent, 6 promised\.$/m);
    const html = await readFile(report, "utf8");
    expect(html.match(/<li><a href="#difference-1-\d+">/g)).toHaveLength(4);
    expect(html).toContain("You said: <mark>*</mark>Tea<mark>*</mark>.");
    expect(html).toMatch(/You said: <b>Tea<\/b>|<strong>Tea<\/strong>/);
    expect(html).toMatch(/<em>Tea<\/em>|<i>Tea<\/i>/);
  });

  test("stands shuffling, doubling and batching, and times of its own", async () => {
    const run = await cli(
      "replay",
      file("bob"),
      "--reply",
      file("reply.mjs"),
      "--duplicate",
      "2",
      "--batch",
      "3",
      "--shuffle",
    );
    const timed = await cli("replay", file("bob"), "--reply", file("reply.mjs"), "--timing", "100", "--json");

    expect(run).toMatchObject({ code: 0 });
    expect(run.out).toMatch(/1 sent, 1 promised/);
    expect(run.out).toMatch(/^Shuffled\. The same order again: --shuffle \d+$/m);
    expect(JSON.parse(timed.out)).toMatchObject({ ok: true });
  });

  test("is not called the same when the reply has failed", async () => {
    await writeFile(file("fails.mjs"), 'export const reply = () => { throw new Error("no key for the model"); };');

    const run = cli("replay", file("bob"), "--reply", file("fails.mjs"));

    await expect(run).rejects.toThrow(/^The reply failed \d+ times, so nothing is compared: no key for the model/);
  });

  test("can promise what is sent now", async () => {
    const update = await cli("replay", file("kept"), "--reply", file("changed.mjs"), "--update");
    const again = await cli("replay", file("kept"), "--reply", file("changed.mjs"));

    expect(update.code).toBe(0);
    expect(again).toMatchObject({ code: 0 });
    expect(again.out).toMatch(/^No difference/m);
  });

  test("goes through a router that is mounted already, with the importable helpers", async () => {
    expect.extend(whatsappMatchers);
    const manifest = await readManifest(file("bob"));
    const [number] = manifest!.numbers;
    const progress: (readonly [number, number])[] = [];

    const result = await replayFixtures({
      fixtures: file("bob"),
      meta: channel.meta,
      settled: async () => {
        await allQuiet(channel);
      },
      numbers: { [number!.phoneNumberId]: NUMBER.phoneNumberId, [number!.wabaId]: NUMBER.wabaId },
      newIds: true,
      onProgress: (done, of) => progress.push([done, of]),
    });

    expect(result).toSendAsPromised();
    const { deliveries } = result.counts;
    expect(progress).toEqual(Array.from({ length: deliveries + 1 }, (_, done) => [done, deliveries]));
    expect(result.counts).toMatchObject({ promised: 1, sent: 1 });
    expect(() => expect({ ...result, ok: false, differences: 1 }).toSendAsPromised()).toThrow(/1 difference/);
  });

  test("goes through a host of its own that wakes on what the product's does", async () => {
    const read = async (name: string) => (await readFixtures(`fixtures/webhooks/${name}.request.json`))[0]!;
    const [text, reaction] = [await read("text"), await read("reaction")];
    const lastIdIn = (json: string) => [...json.matchAll(/wamid\.[\w=]+/g)].at(-1)![0];
    const [bytes, targetId] = [String(reaction.bytes), lastIdIn(String(text.bytes))];
    const fixtures = [text, { ...reaction, bytes: Buffer.from(bytes.replace(lastIdIn(bytes), targetId)) }];
    const answers = async (plugin: ReplayHostOptions["plugin"]) => {
      const { knex } = channel.database;
      const host = await startReplayHost({
        knex,
        reply: () => "Glad!",
        fixtures,
        manifest: null,
        ...(plugin && { plugin }),
      });
      try {
        return (await replayFixtures({ fixtures, meta: host.meta, settled: host.settled })).counts.sent;
      } finally {
        await host.stop();
      }
    };

    expect(await answers({ wakeOn: { reactions: true } })).toBe(2);
    expect(await answers(undefined)).toBe(1);
  });

  test("leaves no schema and no folder behind", async () => {
    const schemas = await channel.rows("select 1 from pg_namespace where nspname like 'whatsapp_replay%'");

    expect(schemas).toEqual([]);
    expect((await readdir(folder)).filter((name) => name.startsWith("whatsapp_replay_"))).toEqual([]);
  });
});

describe("a host that is running", () => {
  test("is replayed into by --to, its Graph being the command's", async () => {
    const port = await freePort();
    // It was connected while Meta was there; from now on the command stands in its place.
    const there = await startChannel({ reply: (turn) => replyAsRecorded(turn), meta: { port } });
    await there.meta.stop();
    vi.stubEnv("META_APP_SECRET", APP_SECRET);
    vi.stubEnv("WHATSAPP_ACCESS_TOKEN", ACCESS_TOKEN);
    const to = [
      "--to",
      there.url,
      "--graph-port",
      String(port),
      "--number",
      `${NUMBER.phoneNumberId}/${NUMBER.wabaId}`,
      "--patience",
      "3",
    ];

    const first = await cli("replay", file("bob"), ...to);
    const second = await cli("replay", file("bob"), ...to);

    expect(first.out).toMatch(/^No difference: \d+ deliveries, 1 sent, 1 promised\.$/m);
    expect([first.code, second.code]).toEqual([0, 0]);
    vi.stubEnv("META_APP_SECRET", "another");
    const before = await contentsOf("bob");
    const refused = await cli("replay", file("bob"), ...to, "--update");
    await there.stop();

    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/^✗ 0001-message was answered 401: its signature was refused/m);
    expect(refused.out).not.toContain("What was sent is the promise");
    expect(await contentsOf("bob")).toBe(before);
    // Each replay waits until the host has been silent for a while.
  }, 60_000);
});

describe("somebody who wrote nothing", () => {
  test("and stands in another's card only is nobody in the recording of whoever speaks of them", async () => {
    const { meta } = channel;
    const carl = meta.person({ name: "Carl Ode", phoneNumber: "14155550144" });
    const dora = meta.person({ name: "Dora Ives", phoneNumber: "14155550155" });
    const card = { name: { formatted_name: "Cleopatra Vandermeer", first_name: "Cleopatra" }, phones: [] };
    carl.sends({ type: "contacts", contacts: [card] });
    dora.says("Cleopatra pays for me, as Vandermeer always does");
    await allQuiet(channel);

    const run = await cli("record", "--person", "14155550155", "--text", "keep", "--out", file("dora"), "--json");

    expect(JSON.parse(run.out)).toMatchObject({ sends: 1, leaks: [] });
    const contents = await contentsOf("dora");
    expect(contents).toMatch(/pays for me, as \w+ always does/);
    expect(contents).not.toMatch(/cleopatra|vandermeer/i);
  });
});
