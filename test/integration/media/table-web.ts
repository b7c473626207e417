/** A web that is a table, for tests that put it in the place of the real one; it must import nothing of the channel. */
import type { Web } from "../../../plugin/ports.ts";

export type Page = {
  readonly status?: number;
  readonly type?: string;
  readonly location?: string;
  readonly body?: Uint8Array;
  /** Its bytes come after this. */
  readonly after?: Promise<void>;
};

/** What `createWeb` gives in tests that mock it: every name is public, but for those that say otherwise. */
export const pages = new Map<string, Page>();
export const fetched: string[] = [];
export const names = new Map<string, readonly string[]>();

export function tableWeb(): Web {
  return {
    resolve: async (hostname) => names.get(hostname) ?? ["93.184.216.34"],
    async get({ url }) {
      fetched.push(url.href);
      const { status = 200, type, location, body = new Uint8Array(), after } = pages.get(url.href) ?? { status: 404 };
      const headers: Readonly<Record<string, string | undefined>> = { "content-type": type, location };
      return {
        status,
        header: (name) => headers[name] ?? null,
        bytes: (async function* () {
          await after;
          yield body;
        })(),
        close: () => undefined,
      };
    },
  };
}
