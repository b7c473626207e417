/** The five stages over a store, as one process runs them. */
import { onTestFinished } from "vitest";
import { MediaFailure } from "../../../plugin/media/fetch-media.ts";
import { DEFAULT_MEDIA_BYTES } from "../../../plugin/media/media-limits.ts";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import { createPipeline, type Pipeline } from "../../../plugin/pipeline/pipeline.ts";
import { DEFAULT_RULES } from "../../../plugin/pipeline/plan-effects.ts";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import type { GraphApi, Host, SecretBox, Store } from "../../../plugin/ports.ts";

import { createMemoryMediaStore } from "../../support/memory-media-store.ts";

/** So long that only giving a lane back can explain that it comes back. */
export const LONG_LEASE_MS = 600_000;

/** With a Meta that takes everything. */
export function instance(
  on: Store,
  host: Pick<Host, "reply">,
  { onPost }: { readonly onPost?: (phoneNumberId: string) => void } = {},
): Pipeline {
  const silent = () => undefined;
  const graphApi = {
    postMessage: async ({ phoneNumberId }: { readonly phoneNumberId: string }) => {
      onPost?.(phoneNumberId);
      return { kind: "accepted", messageId: `wamid.${Math.random()}` };
    },
    markRead: async () => undefined,
  };
  const pipeline = createPipeline({
    store: on,
    connections: on.connections,
    graphApi: graphApi as unknown as GraphApi,
    verifyToken: async () => "dead",
    secretBox: { seal: (secret) => secret, open: (sealed) => sealed } satisfies SecretBox,
    prepareSend: async (wishes) => planSend(wishes),
    prepareMedia: () => Promise.reject(new Error("nobody sends media here")),
    host: { reply: host.reply, onEvent: undefined },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    leaseMs: LONG_LEASE_MS,
    reconcileMs: 500,
    limits: {
      ...META_LIMITS,
      messagesPerSecond: { ...META_LIMITS.messagesPerSecond, standard: Number.POSITIVE_INFINITY },
    },
    coalesceMs: 0,
    pollMs: 50,
    replyTimeoutMs: 60_000,
    eventTimeoutMs: 60_000,
    rules: DEFAULT_RULES,
    retry: { maxAttempts: 3, baseMs: 20, maxMs: 100 },
    random: Math.random,
    newToken: () => String(Math.random()),
    mediaStore: createMemoryMediaStore(),
    mediaUrl: (id) => id,
    mediaMaxBytes: DEFAULT_MEDIA_BYTES,
    mediaQuotaBytes: Number.POSITIVE_INFINITY,
    fetchMedia: () => Promise.reject(new MediaFailure("gone", "This Meta has no media.", false)),
  });
  onTestFinished(() => pipeline.stop(0));
  return pipeline;
}
