/** The recorded webhooks: the exact bytes that Meta posted, and which messages in them were found worth an answer. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export type Recording = {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Message ids that the recording's other half, `<case>.events.json`, promises as messages; null without one. */
  readonly messageIds: ReadonlySet<string> | null;
};

const REQUEST = ".request.json";

/**
 * In the order of their names.
 * @throws Error whose message is the one line to print.
 */
export async function readRecordings(folder: string): Promise<readonly Recording[]> {
  const files = await readdir(folder).catch(() => []);
  const names = files
    .filter((file) => file.endsWith(REQUEST))
    .map((file) => file.slice(0, -REQUEST.length))
    .sort();
  // An empty stage would pass for a good show.
  if (names.length === 0) throw new Error(`There is no <case>${REQUEST} in ${folder}.`);
  return Promise.all(
    names.map(async (name) => ({
      name,
      bytes: await readFile(join(folder, `${name}${REQUEST}`)),
      messageIds: messageIdsIn(await readFile(join(folder, `${name}.events.json`), "utf8").catch(() => null)),
    })),
  );
}

function messageIdsIn(events: string | null): ReadonlySet<string> | null {
  if (events === null) return null;
  const parsed = JSON.parse(events) as readonly { readonly kind: string; readonly messageId?: string }[];
  return new Set(parsed.flatMap(({ kind, messageId = "" }) => (kind === "message" ? [messageId] : [])));
}
