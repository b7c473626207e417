/** Fixtures on disk: what came in, byte for byte, beside what must be sent for it, and a manifest for those that are a recording. */
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { WireObject } from "@omniops/whatsapp/simulator";
import { isObject, objectOf, objectsIn, readJson, textOf, writePretty } from "./lossless-json.ts";
import type { TextMode } from "./scrub.ts";

/** One message that must be sent. */
export type PromisedSend = {
  /** The business number, Meta's id of it. */
  readonly from: string;
  /** A number in digits, or a user id. */
  readonly to: string;
  readonly endpoint: "messages" | "marketing_messages";
  /** The Graph message, without whom it goes to. */
  readonly message: WireObject;
  /** The wamid that later deliveries know it by. */
  readonly id: string | null;
  /** The messages that it answers. */
  readonly answers: readonly string[];
};

/** One webhook and what must come of it. */
export type Fixture = {
  readonly name: string;
  /** `<name>.request.json`: the exact bytes of one POST from Meta. */
  readonly bytes: Uint8Array;
  /** `<name>.sends.json`; null without one: then nothing is promised. In a recording nothing at all must be sent then. */
  readonly sends: readonly PromisedSend[] | null;
  /** Message ids that `<name>.events.json` promises as messages of somebody's; null without one. */
  readonly messageIds: ReadonlySet<string> | null;
};

/** A business number, as fixtures name it. */
export type RecordedNumber = {
  readonly phoneNumberId: string;
  readonly wabaId: string;
  readonly displayPhoneNumber: string;
};

/** `recording.json` */
export type Manifest = {
  readonly format: 1;
  /** The package's version that recorded it. */
  readonly version: string;
  readonly text: TextMode;
  /** What the sends are: taken from the database, or what a replay has sent. */
  readonly promised: "recorded" | "replayed";
  readonly numbers: readonly RecordedNumber[];
  readonly templates: readonly WireObject[];
  /** The invented names in it: a text that has another word there is the same text. */
  readonly names: readonly string[];
  readonly deliveries: readonly {
    readonly name: string;
    /** `whatsapp_webhooks.webhook_type` */
    readonly type: string;
    /** After the first one, in milliseconds. */
    readonly atMs: number;
    /** The row that it was made of, for whoever has that database. */
    readonly webhookId: string;
    /** Messages that were answered together have the same; null where nothing was to be answered. */
    readonly turn: number | null;
  }[];
};

/** A conversation to be replayed: the fixtures in order, and when and by whom they were written. */
export type Recording = { readonly manifest: Manifest; readonly fixtures: readonly Fixture[] };

const REQUEST = ".request.json";
export const SENDS = ".sends.json";
const EVENTS = ".events.json";
const MANIFEST = "recording.json";
const LISTS = ["numbers", "templates", "names", "deliveries"] as const;

/**
 * A folder's, in the order of their names, or a single `<name>.request.json`.
 * @throws Error whose message is the one line to print.
 */
export async function readFixtures(path: string): Promise<readonly Fixture[]> {
  const isFile = path.endsWith(REQUEST);
  const folder = isFile ? dirname(path) : path;
  const files = isFile ? [basename(path)] : await readdir(folder).catch(() => []);
  const names = files
    .filter((file) => file.endsWith(REQUEST))
    .map((file) => file.slice(0, -REQUEST.length))
    .sort();
  // An empty stage would pass for a good show.
  if (names.length === 0) throw new Error(`There is no <case>${REQUEST} in ${folder}.`);
  const recorded = new Set((await readManifest(folder))?.deliveries.map(({ name }) => name));
  return Promise.all(names.map((name) => readFixture(folder, name, recorded)));
}

async function readFixture(folder: string, name: string, recorded: ReadonlySet<string>): Promise<Fixture> {
  const text = (ending: string) => readFile(join(folder, `${name}${ending}`), "utf8").catch(() => null);
  const bytes = await readFile(join(folder, `${name}${REQUEST}`)).catch(() => {
    throw new Error(`There is no file ${join(folder, `${name}${REQUEST}`)}.`);
  });
  const sends = await text(SENDS);
  return {
    name,
    bytes,
    sends: sends === null ? (recorded.has(name) ? [] : null) : sendsIn(sends, join(folder, `${name}${SENDS}`)),
    messageIds: messageIdsIn(await text(EVENTS), join(folder, `${name}${EVENTS}`)),
  };
}

/** People write these by hand, too. */
function sendsIn(text: string, file: string): readonly PromisedSend[] {
  const sends = jsonOf(text, file);
  if (!Array.isArray(sends) || !sends.every(isSend))
    throw new Error(`${file} is no list of sends: each has from, to, endpoint and message.`);
  return sends.map((send) => ({ id: null, answers: [], ...send }));
}

function isSend(send: unknown): send is Omit<PromisedSend, "id" | "answers"> {
  const { from, to, endpoint, message } = objectOf(send);
  return [from, to, endpoint].every((text) => textOf(text) !== null) && isObject(message);
}

function messageIdsIn(events: string | null, file: string): ReadonlySet<string> | null {
  if (events === null) return null;
  return new Set(
    objectsIn(jsonOf(events, file)).flatMap(({ kind, messageId, content }) =>
      // What WhatsApp does in somebody's name is shown, and answered by nobody.
      kind === "message" && objectOf(content).source !== "automatic" ? [textOf(messageId) ?? ""] : [],
    ),
  );
}

/** Null for a folder that is no recording. @throws Error whose message is the one line to print. */
export async function readManifest(path: string): Promise<Manifest | null> {
  const file = join(folderOf(path), MANIFEST);
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) return null;
  const manifest = objectOf(jsonOf(text, file));
  if (manifest.format !== 1)
    throw new Error(`${file} has another format than this version reads: record it again, or upgrade the package.`);
  if (!LISTS.every((name) => Array.isArray(manifest[name])))
    throw new Error(`${file} lacks some of ${LISTS.join(", ")}: record it again.`);
  return manifest as Manifest;
}

/**
 * What is replayed together: a folder, or some of its files, or folders that are no recordings.
 * @throws Error whose message is the one line to print.
 */
export async function readTogether(
  paths: readonly string[],
): Promise<{ readonly fixtures: readonly Fixture[]; readonly manifest: Manifest | null }> {
  const fixtures = (await Promise.all(paths.map(readFixtures))).flat();
  const folders = [...new Set(paths.map((path) => resolve(folderOf(path))))];
  const manifests = await Promise.all(folders.map(readManifest));
  if (folders.length > 1 && manifests.some((manifest) => manifest !== null))
    throw new Error(
      "A recording is replayed by itself, because its people and times are its own: one folder at a time.",
    );
  const names = new Set<string>();
  for (const { name } of fixtures) {
    if (names.has(name)) throw new Error(`Two of these are called ${name}: rename one, or replay them one at a time.`);
    names.add(name);
  }
  return { fixtures, manifest: manifests[0] ?? null };
}

/** Where it is. @param path a folder, or a `<name>.request.json` in one. */
export function folderOf(path: string): string {
  return path.endsWith(REQUEST) ? dirname(path) : path;
}

function jsonOf(text: string, file: string): unknown {
  try {
    return readJson(text);
  } catch {
    throw new Error(`${file} is no JSON.`);
  }
}

/** The files of a recording by name: what {@link writeRecording} writes. */
export function filesOf({ manifest, fixtures }: Recording): ReadonlyMap<string, string> {
  return new Map([
    [MANIFEST, writePretty(manifest)],
    ...fixtures.flatMap(({ name, bytes, sends }) => [
      [`${name}${REQUEST}`, Buffer.from(bytes).toString("utf8")] as const,
      ...(sends === null || sends.length === 0 ? [] : [[`${name}${SENDS}`, writePretty(sends)] as const]),
    ]),
  ]);
}

/** @throws Error whose message is the one line to print, unless it is a new or empty folder. */
export async function checkIsFree(folder: string): Promise<void> {
  const there = await readdir(folder).catch(async () => {
    if (await stat(folder).catch(() => null)) throw new Error(`${folder} is a file: give a folder.`);
    return [];
  });
  if (there.length > 0) throw new Error(`${folder} is not empty: give a new folder, or remove this one first.`);
}

/**
 * Writes a recording into a new or empty folder.
 * @throws Error whose message is the one line to print, when the folder holds something already.
 */
export async function writeRecording(folder: string, recording: Recording): Promise<void> {
  await checkIsFree(folder);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of filesOf(recording)) await writeFile(join(folder, name), text);
}

/** The promise from now on is what was sent. */
export async function rewriteSends(
  folder: string,
  sends: ReadonlyMap<string, readonly PromisedSend[]>,
  manifest: Manifest | null,
): Promise<void> {
  for (const [name, promised] of sends) {
    const file = join(folder, `${name}${SENDS}`);
    if (promised.length > 0 || manifest === null) await writeFile(file, writePretty(promised));
    else await rm(file, { force: true });
  }
  if (manifest !== null) await writeFile(join(folder, MANIFEST), writePretty({ ...manifest, promised: "replayed" }));
}
