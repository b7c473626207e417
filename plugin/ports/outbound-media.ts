/** What media that leave need of the world: files behind addresses that hosts give. */
import type { ByteStream } from "./media.ts";

/** The web, one step at a time: nothing here decides where it may go. */
export type Web = {
  /** Every address that a name has now, IPv4 first. @throws when it has none. */
  resolve(hostname: string): Promise<readonly string[]>;
  /**
   * One GET to exactly this address, under the name of the URL's host; follows nothing, sends no cookie and no token.
   * @throws when no answer comes, also when the signal aborts; the bytes do the same.
   */
  get(request: { readonly url: URL; readonly address: string; readonly signal: AbortSignal }): Promise<WebAnswer>;
};

export type WebAnswer = {
  readonly status: number;
  /** In lower case. */
  readonly header: (name: string) => string | null;
  readonly bytes: ByteStream;
  /** Ends the connection; what was not read is lost. */
  close(): void;
};
