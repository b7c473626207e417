/** Every page of a list of Graph's, to the end. */
import { ChannelError } from "../../plugin/errors.ts";
import { type Json, readText } from "./read-answer.ts";

/** Asks for one page; `after` is the cursor of the page before, absent for the first. */
export type AskForPage = (cursor: { readonly after?: string }) => Promise<Json>;

/** A cursor of Graph v24 and later can go stale while the list is read. */
const CURSOR_STALE = 131059;
/** Far more than Meta lets an account have, so only a list that never ends has so many. */
const MOST_PAGES = 300;

/** What is no object is left out. A stale cursor begins the list again, once. */
export async function listAll(ask: AskForPage): Promise<readonly Json[]> {
  try {
    return await readPages(ask);
  } catch (error) {
    if (error instanceof ChannelError && error.meta?.code === CURSOR_STALE) return readPages(ask);
    throw error;
  }
}

async function readPages(ask: AskForPage): Promise<readonly Json[]> {
  const items: Json[] = [];
  const seen = new Set<string>();
  let after: string | null = null;
  do {
    const page: Json = await ask(after === null ? {} : { after });
    for (const item of Array.isArray(page.data) ? page.data : [])
      if (typeof item === "object" && item !== null) items.push(item as Json);
    after = nextCursor(page);
    // The same cursor again would give the same page again.
    if (after !== null && seen.has(after)) return items;
    if (after !== null) seen.add(after);
    if (seen.size >= MOST_PAGES)
      throw new ChannelError("GRAPH_UNREACHABLE", "Graph's list does not end: try again.", { retry: "backoff" });
  } while (after !== null);
  return items;
}

function nextCursor(page: Json): string | null {
  const paging = page.paging as { readonly next?: unknown; readonly cursors?: { readonly after?: unknown } } | null;
  return readText(paging?.next) === null ? null : readText(paging?.cursors?.after);
}
