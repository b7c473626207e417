/** A part with media → the same part with Meta's ids in it, or another message, or a reason why not now. */
import type { MetaError } from "../contract.ts";
import { ChannelError, RefusedByMeta } from "../errors.ts";
import type { PreparedMedia, PrepareMedia } from "../media/prepare-media.ts";
import type { Connections, Lanes, Outbox, OutgoingPart, PostOutcome, RewrittenPart, Settlement } from "../ports.ts";
import { type DispatchPolicy, decideWithoutFile, giveUp, waitUntilRight } from "./decide-next.ts";
import { isStoreDown } from "./failure.ts";
import { NOT_THE_TOKEN, type VerifyToken } from "./verify-token.ts";
import { withoutMedia } from "./without-media.ts";

export type PreparePart = (
  part: OutgoingPart,
  accessToken: string,
  signal: AbortSignal,
) => Promise<
  | {
      readonly kind: "ready";
      /** As it is stored now: with addresses and our own ids. */
      readonly part: OutgoingPart;
      /** As it leaves: with Meta's ids in their place. */
      readonly wire: OutgoingPart["payload"];
      readonly used: readonly string[];
      readonly known: readonly string[];
      readonly wasSlow: boolean;
    }
  /** `refused`: what Meta said to the file, of which others are to know. */
  | { readonly kind: "settle"; readonly settlement: Settlement; readonly refused?: PostOutcome }
  /** The lane was given back. */
  | { readonly kind: "later" }
>;

/** While others upload: soon enough to be next, seldom enough to burden nobody. */
const BUSY_MS = 250;

export function createPreparePart(deps: {
  readonly prepareMedia: PrepareMedia;
  readonly outbox: Pick<Outbox, "rewrite">;
  readonly lanes: Lanes;
  readonly connections: Pick<Connections, "requireReauth">;
  readonly verifyToken: VerifyToken;
  readonly policy: DispatchPolicy;
}): PreparePart {
  const { prepareMedia, outbox, lanes, connections, policy } = deps;

  return async (part, accessToken, signal) => {
    let prepared: PreparedMedia;
    try {
      prepared = await prepareMedia(part, accessToken, signal);
    } catch (error) {
      if (!(error instanceof ChannelError) || signal.aborted || isStoreDown(error)) throw error;
      return notNow(part, error, accessToken);
    }
    if (prepared.kind === "busy") {
      await lanes.postpone(part.lane, BUSY_MS, false);
      return { kind: "later" };
    }
    if (prepared.kind === "ready" && prepared.changes.length === 0)
      return { kind: "ready", part, wire: prepared.payload, ...facts(prepared) };
    const by = prepared.kind === "hopeless" ? withoutMedia(part) : asOtherKind(part, prepared);
    if (by === null) return { kind: "settle", settlement: giveUp(part, NO_ROOM) };
    if (!(await outbox.rewrite(part, by))) {
      // A status has settled it meanwhile, or the lease is lost: then this does nothing.
      await lanes.release([part.lane]);
      return { kind: "later" };
    }
    const wire = prepared.kind === "ready" ? prepared.payload : by.payload;
    return { kind: "ready", part: { ...part, kind: by.kind, payload: by.payload }, wire, ...facts(prepared) };
  };

  async function notNow(
    part: OutgoingPart,
    error: ChannelError,
    accessToken: string,
  ): Promise<Awaited<ReturnType<PreparePart>>> {
    const { code, meta = null } = error;
    if (error.retry === "reauth") {
      const { connectionId, wabaId, accessTokenEnc } = part.connection;
      const verdict = await deps.verifyToken({ connectionId, wabaId, accessToken, meta });
      if (verdict === "valid")
        return { kind: "settle", settlement: giveUp(part, { code, message: NOT_THE_TOKEN, meta }) };
      if (verdict === "dead")
        await connections.requireReauth({
          connectionId,
          accessTokenEnc: accessTokenEnc ?? "",
          reason: "Meta refuses the access token: reconnect the number.",
        });
      return { kind: "settle", settlement: waitUntilRight(part) };
    }
    const rejection = error.cause instanceof RefusedByMeta ? error.cause.rejection : null;
    const settlement = decideWithoutFile(part, error, rejection, policy);
    return { kind: "settle", settlement, ...(rejection && { refused: { kind: "rejected", rejection } }) };
  }
}

function facts(prepared: Exclude<PreparedMedia, { kind: "busy" }>) {
  const { used, known } = prepared.kind === "ready" ? prepared : { used: [], known: [] };
  return { used, known, wasSlow: prepared.wasSlow };
}

const NO_ROOM = {
  code: "MEDIA_URL_REFUSED",
  message: "The media's address may not be fetched, and its link is too long for a text.",
  meta: null,
};

/**
 * What Meta answers to an id that it has not, and to a link that it cannot use.
 * @see https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
 */
const DEAD_ID: ReadonlySet<number> = new Set([100, 131008, 131009, 131052, 131053]);
const DEAD_LINK: ReadonlySet<number> = new Set([131014, 131052, 131053]);

/** Whether the media may be to blame: of which, with a code that means anything, only a fresh one tells. */
export function blames(outcome: PostOutcome): { readonly id: boolean; readonly link: boolean } {
  const rejection = outcome.kind === "rejected" && outcome.rejection.number === undefined ? outcome.rejection : null;
  const code = rejection?.meta?.code ?? 0;
  return { id: DEAD_ID.has(code), link: DEAD_LINK.has(code) };
}

/**
 * What is sent in the place of media that Meta had accepted and then could not show.
 * @returns its words and buttons, and the link; null where something else was wrong, or nothing would be left.
 */
export function insteadOfMedia(
  part: Pick<OutgoingPart, "kind" | "payload">,
  { code }: MetaError,
): RewrittenPart | null {
  return DEAD_LINK.has(code) ? withoutMedia(part) : null;
}

function asOtherKind(
  part: OutgoingPart,
  { stored, messageKind, changes }: PreparedMedia & { kind: "ready" },
): RewrittenPart {
  const kind = messageKind ?? part.kind;
  const { caption, filename, link } = stored[kind] as Readonly<
    Record<"caption" | "filename" | "link", string | undefined>
  >;
  const file = filename ?? link;
  const shown = `[${kind}${file === undefined ? "" : `: ${file}`}]`;
  return {
    kind,
    payload: stored,
    content: [caption, `${shown.charAt(0)}${shown.charAt(1).toUpperCase()}${shown.slice(2)}`]
      .filter(Boolean)
      .join("\n"),
    mediaType: kind,
    degraded: changes,
  };
}
