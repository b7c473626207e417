/** Media that leave, put together: what fetches, what looks, what uploads, and what keeps the host's own bytes. */
import { createSpool } from "../../adapters/spool/spool.ts";
import { createWeb } from "../../adapters/web/web.ts";
import type { WhatsAppConfig } from "../config.ts";
import { createGuardedFetch } from "../media/guarded-fetch.ts";
import { createKeepBytes, type KeepBytes } from "../media/keep-bytes.ts";
import { createPrepareMedia, type PrepareMedia } from "../media/prepare-media.ts";
import { isLoopbackAddress } from "../media/public-address.ts";
import { createUploadSlots } from "../media/upload-slots.ts";
import type { GraphApi, Logger, MediaStore, Store } from "../ports.ts";

export function wireOutboundMedia(deps: {
  readonly config: Pick<WhatsAppConfig, "graphUrl">;
  readonly store: Pick<Store, "media" | "outboundMedia">;
  readonly mediaStore: MediaStore;
  readonly graphApi: GraphApi;
  readonly quotaBytes: number;
  readonly log: Logger;
}): { readonly prepareMedia: PrepareMedia; readonly keepBytes: KeepBytes } {
  const { config, store, mediaStore, graphApi, quotaBytes, log } = deps;
  const common = { records: store.media, outboundMedia: store.outboundMedia, mediaStore };
  return {
    prepareMedia: createPrepareMedia({
      ...common,
      graphApi,
      spool: createSpool(),
      fetchFile: createGuardedFetch({ web: createWeb(), allowLoopback: isDevelopment(config.graphUrl) }),
      slots: createUploadSlots(),
      log,
      clock: () => performance.now(),
    }),
    keepBytes: createKeepBytes({ ...common, quotaBytes }),
  };
}

/** Meta is on this machine: then it is a simulator, and the host's files may be here too. */
function isDevelopment(graphUrl: string): boolean {
  const host = new URL(graphUrl).hostname.replace(/^\[|\]$/g, "");
  return host === "localhost" || isLoopbackAddress(host);
}
