/** The demo as a newcomer or a script runs it: a process, what it prints, its exit code, and nothing left behind. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { retime } from "@omniops/whatsapp/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { bundleProgram, ROOT } from "../support/bundled-program.ts";
import { type Run, runNode, spawnNode } from "../support/node-process.ts";

/** As `npm run demo` starts it. */
const AS_NPM_DOES = ["--import", "tsx", "examples/demo/main.ts"];
const DEMO = [bundleProgram("examples/demo/main.ts")];

/** Temporary folders of the demo, and of nobody else, are made in here. */
let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "omniops-test-"));
  // The user that Postgres runs as must be able to remove its folder.
  await chmod(base, 0o1777);
  return () => rm(base, { recursive: true, force: true });
});

function demo(args: readonly string[], start = DEMO, env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return runNode([...start, ...args], { cwd: ROOT, env: environment(env), showsPeople: true });
}

function environment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH = "", HOME = "" } = process.env;
  return { PATH, HOME, TMPDIR: base, ...env };
}

async function fixtures(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(base, "fixtures-"));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

function message(
  id: string,
  { text, timestamp = "1780000000" }: { readonly text: string; readonly timestamp?: string },
) {
  return { from: "447700900123", id, timestamp, type: "text", text: { body: text } };
}

function webhook(messages: readonly object[], phoneNumberId = "301777000333444"): string {
  const metadata = { display_phone_number: "15557770100", phone_number_id: phoneNumberId };
  const contacts = [{ profile: { name: "Ada" }, wa_id: "447700900123" }];
  const value = { messaging_product: "whatsapp", metadata, contacts, messages };
  return JSON.stringify({
    object: "whatsapp_business_account",
    entry: [{ id: "201555000111222", changes: [{ field: "messages", value }] }],
  });
}

/** Folders that a Postgres of this test was given, and processes that still run on one. */
async function leftovers(): Promise<readonly string[]> {
  const folders = (await readdir(base)).filter((name) => name.startsWith("omniops"));
  const { stdout } = await promisify(execFile)("ps", ["-eo", "args"]);
  return [...folders, ...stdout.split("\n").filter((line) => line.includes(`${base}/omniops`))];
}

/** Other tests put their pictures, their browser and their programs there meanwhile: they come and go, and are not looked into. */
const THEIRS = /^(screenshots|chromium-|unpacking-|bundled-|faults-worker-|guide-)/;

/** Everything that the demo could write into the checkout, with the time of its last change. */
async function files(): Promise<readonly string[]> {
  const ours = (await readdir(join(ROOT, ".data"))).filter((name) => !THEIRS.test(name)).toSorted();
  const roots = ["examples", "fixtures", ...ours.map((name) => join(".data", name))].map((path) => join(ROOT, path));
  const paths = await Promise.all(
    roots.map(async (root) => {
      if (!(await stat(root)).isDirectory()) return [root];
      return [root, ...(await readdir(root, { recursive: true })).map((path) => join(root, path))];
    }),
  );
  return Promise.all(paths.flat().map(async (path) => `${path} ${(await stat(path)).mtimeMs}`));
}

describe("npm run demo -- --once", () => {
  test("answers every recorded message, shows the conversations, and leaves nothing behind", async () => {
    const before = await files();

    const startedAt = performance.now();
    const run = await demo(["--once"], AS_NPM_DOES, {
      DATABASE_URL: "postgres://nobody:s3cret@127.0.0.1:1/theirs",
    });
    console.log(`The demo took ${Math.round(performance.now() - startedAt)} ms.`);

    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out).toContain("Meta's handshake answered");
    expect(run.out).toMatch(/^Ada Q\. 447700900123 and Shop 1 \+1 555-777-0100$/m);
    expect(run.out).toMatch(/^ {2}Ada Q\. {2}Is it open today\? 👩🏽‍🚀 20 m\/s +text$/m);
    expect(run.out).toMatch(/^ {2}Shop 1 {2}You said: Is it open today\? 👩🏽‍🚀 20 m\/s +✓✓ read after \d+ ms$/m);
    expect(run.out).toMatch(/^ {2}dashboard-test-button +message +unrouted: no connection holds this number/m);
    expect(run.out).toMatch(/^Every message was answered: \d+ messages sent/m);
    expect(run.out).toContain("DATABASE_URL is set and left alone");
    expect(run.out).not.toMatch(/s3cret|\u001b/);
    for (const file of await readdir(join(ROOT, "fixtures/webhooks")))
      if (file.endsWith(".request.json")) expect(run.out).toContain(file.replace(".request.json", ""));
    expect(await files()).toEqual(before);
    expect(await leftovers()).toEqual([]);
    // Seconds on a machine of its own; this one is shared.
  }, 120_000);

  test("names the message that stays without an answer, and why, and exits 1", async () => {
    const folder = await fixtures({
      "answered.request.json": webhook([message("wamid.A", { text: "Hello?" })]),
      "ignored.request.json": webhook([message("wamid.B", { text: "silence" })]),
    });

    const run = await demo(["--once", "--fixtures", folder]);

    expect(run).toMatchObject({ code: 1, err: "" });
    expect(run.out).toContain("✗ ignored has no answer: the host's AI chose to say nothing (message wamid.B)\n");
    expect(run.out).not.toContain("answered has no answer");
    expect(run.out).not.toContain("Every message was answered");
    expect(await leftovers()).toEqual([]);
  });

  test("misses the answer to what the recording's other half promises as a message", async () => {
    const folder = await fixtures({
      "poll.request.json": webhook([{ ...message("wamid.P", { text: "" }), type: "poll", poll: {} }]),
      "poll.events.json": JSON.stringify([{ kind: "message", messageId: "wamid.P" }]),
    });

    const run = await demo(["--once", "--fixtures", folder]);

    expect(run.code).toBe(1);
    expect(run.out).toContain("✗ poll has no answer: it never reached the host's AI (message wamid.P)");
  });

  test("owes nothing to a message that was a day old, to an unknown number, or to bytes that are no JSON", async () => {
    const old = [
      message("wamid.O", { text: "long ago", timestamp: "1779900000" }),
      message("wamid.N", { text: "now" }),
    ];
    const folder = await fixtures({
      "batch.request.json": webhook(old),
      "broken.request.json": "{ not JSON",
      "unknown-number.request.json": webhook([message("wamid.U", { text: "anybody?" })], "309999999999999"),
    });

    const run = await demo(["--once", "--fixtures", folder]);

    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out).toMatch(/^ {2}Ada +long ago +batch, older than a day when it came, so not answered$/m);
    expect(run.out).toMatch(/^ {2}Shop 1 +You said: now +✓✓ read after \d+ ms$/m);
    expect(run.out).toMatch(/^ {2}broken +unknown +quarantined: not JSON$/m);
    expect(run.out).toMatch(/^ {2}unknown-number +message +unrouted: /m);
  });

  test("lets no message of a stranger write to the terminal", async () => {
    const folder = await fixtures({
      "escape.request.json": webhook([message("wamid.E", { text: "\u001b]0;owned\u0007 \u202ehi" })]),
    });

    const run = await demo(["--once", "--fixtures", folder]);

    expect(run.code).toBe(0);
    expect(run.out).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  test("does not pass for having nothing to play", async () => {
    const run = await demo(["--once", "--fixtures", await fixtures({})]);

    expect(run).toMatchObject({ code: 2, out: "" });
    expect(run.err).toMatch(/^There is no <case>\.request\.json in .*\n$/);
  });
});

describe("npm run demo", () => {
  test("stays up, answers a pasted webhook, and ends with 0 on Ctrl-C, leaving nothing behind", async () => {
    const folder = await fixtures({ "hello.request.json": webhook([message("wamid.A", { text: "Hello?" })]) });
    const child = spawnNode([...DEMO, "--fixtures", folder], {
      cwd: ROOT,
      env: environment({}),
      showsPeople: true,
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let out = "";
    const seen = (pattern: RegExp) =>
      expect
        .poll(
          () => {
            if (child.exitCode !== null) throw new Error(out);
            return out;
          },
          { timeout: 15_000 },
        )
        .toMatch(pattern);
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });

    await seen(/demo bot.*after \d+ ms\n$/s);
    const line = /^ *(body='.*)$/m.exec(out)?.[1] ?? "";
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", line]);
    await seen(/^Demo Shop: You said: Hello from curl after \d+ ms$/m);
    child.kill("SIGINT");
    const [code] = await once(child, "exit");

    expect(stdout).toBe("200\n");
    expect(code).toBe(0);
    expect(await leftovers()).toEqual([]);
  });

  test("explains itself with --help, and refuses what it does not know with 2 and one line", async () => {
    const [help, unknown, extra, nowhere] = await Promise.all([
      demo(["--help"]),
      demo(["--onse"]),
      demo(["--once", "now"]),
      demo(["--fixtures", join(base, "nowhere")]),
    ]);

    expect(help).toMatchObject({ code: 0, err: "" });
    expect(help.out).toMatch(/^Usage: npm run demo/);
    for (const run of [unknown, extra, nowhere]) {
      expect(run).toMatchObject({ code: 2, out: "" });
      expect(run.err).toMatch(/^[^\n]+\n$/);
    }
    expect(unknown.err).toContain("'--onse'");
    expect(extra.err).toContain("'now'");
    expect(nowhere.err).toContain("nowhere");
  });
});

describe("a recording", () => {
  const NOW = new Date("2027-01-02T03:04:05.678Z");

  test("is moved to the present as a whole: its newest time is now, and not another byte is touched", () => {
    const before = String.raw`{"timestamp":"1780000000","a":{"timestamp" : 1779999990},"time":1780000000,"expiration_timestamp":"1780000001","t":"\"timestamp\":\"1780000002\"","timestamp":"1780000003123"} café`;

    const after = Buffer.from(retime(Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0x00])]), NOW));

    const now = Math.floor(NOW.getTime() / 1000);
    const expected = before.replace('"1780000000"', `"${now}"`).replace(" 1779999990", ` ${now - 10}`);
    expect(after).toEqual(Buffer.concat([Buffer.from(expected), Buffer.from([0xff, 0x00])]));
  });

  test("without a time stays as it is", async () => {
    const bytes = await readFile(join(ROOT, "package.json"));

    expect(Buffer.from(retime(bytes, NOW))).toEqual(bytes);
  });
});
