/** Stage `out`: one part at a time per recipient: attempt row committed → POST to Graph → outcome committed. */
import { nameOf } from "../errors.ts";
import { mediaIn } from "../media/media-in.ts";
import type { PrepareMedia } from "../media/prepare-media.ts";
import type {
  Connections,
  GraphApi,
  Lanes,
  Logger,
  NewAttempt,
  OutboundMedia,
  Outbox,
  OutgoingPart,
  PostOutcome,
  SecretBox,
  Settlement,
} from "../ports.ts";
import { createBreaker } from "./breaker.ts";
import { againAtOnce, type DispatchPolicy, decideAfter, decideBefore, waitFor, waitForProbe } from "./decide-next.ts";
import { mayBeAnItems } from "./failure.ts";
import { createGroupCommit } from "./group-commit.ts";
import { type LaneHandler, NOTHING_TO_DO_MS } from "./lane-worker.ts";
import { blames, createPreparePart } from "./prepare-part.ts";
import { retryDelayMs } from "./retry-schedule.ts";
import type { Throughput } from "./throughput.ts";
import { NOT_THE_TOKEN, type VerifyToken } from "./verify-token.ts";
import { withoutMedia } from "./without-media.ts";

export type DispatchDeps = {
  readonly lanes: Lanes;
  readonly outbox: Outbox;
  readonly connections: Connections;
  readonly graphApi: GraphApi;
  readonly secretBox: SecretBox;
  readonly log: Logger;
  readonly policy: DispatchPolicy;
  /** A new `biz_opaque_callback_data`: random, because every app subscribed to the account can read it. */
  readonly newToken: () => string;
  readonly onSettled: () => void;
  readonly throughput: Throughput;
  /** Some wait for their number's pace, and may leave in so many milliseconds. */
  readonly onPaced: (delayMs: number) => void;
  readonly prepareMedia: PrepareMedia;
  readonly outboundMedia: Pick<OutboundMedia, "forgetUploads">;
  readonly verifyToken: VerifyToken;
};

/** A part as it leaves. */
type Leaving = {
  readonly wire: OutgoingPart["payload"];
  /** Meta's ids in it. */
  readonly used?: readonly string[];
  /** Of these, those that are from before, and may be dead. */
  readonly known?: readonly string[];
};

/** Of one message. More dead ids in a row are something else. */
const MOST_DEAD_IDS = 3;

/** A little late, so that the lane is ready by the database's clock. */
const AT_ONCE_MS = 25;

export function createDispatchOutbox(deps: DispatchDeps): LaneHandler {
  const { lanes, outbox, connections, graphApi, secretBox, log, policy, newToken, onSettled, throughput } = deps;
  const { outboundMedia } = deps;
  const breaker = createBreaker({ connections, log, retry: policy.retry });
  const grouped = { isItemsFault: mayBeAnItems, maxItems: 200 };
  const begin = createGroupCommit<NewAttempt, boolean>({ ...grouped, commit: outbox.begin });
  const settle = createGroupCommit<Settlement, boolean>({ ...grouped, commit: outbox.settle });

  const preparePart = createPreparePart(deps);

  return async function dispatchOutbox(claimed, { finished, signal }): Promise<void> {
    const heads = await outbox.head(claimed);
    const waits = await throughput.admit(
      heads.filter((part) => part !== null && decideBefore(part, policy).kind === "post") as readonly OutgoingPart[],
    );
    await Promise.all(
      claimed.map(async (lane, i) => {
        const part = heads[i] ?? null;
        try {
          if (part === null) await lanes.postpone(lane, NOTHING_TO_DO_MS, false);
          else await dispatch(part, waits.get(part) ?? 0, signal);
          finished(lane);
        } catch (error) {
          // Its neighbours are still being sent and keep their leases.
          finished(lane, error);
        }
      }),
    );
    // A little late, so that the lane is ready by the database's clock; what waits longer is found by the poll.
    const soon = [...waits.values()].filter((ms) => ms < 2_000).map((ms) => Math.ceil(ms / 25) * 25 + 10);
    for (const delayMs of new Set(soon)) deps.onPaced(delayMs);
  };

  async function dispatch(part: OutgoingPart, waitMs: number, signal: AbortSignal): Promise<void> {
    try {
      const decision = waitMs > 0 ? waitFor(part, waitMs) : decideBefore(part, policy);
      if (decision.kind === "settle") await settleUnsent(decision.settlement);
      else await prepareAndPost(part, signal);
      onSettled();
    } catch (error) {
      const at = { stage: "out", outboxId: part.outboxId, error: nameOf(error) };
      log.warn(at, "a send could not be carried through; its lane comes back");
      // What was begun is found as an attempt without an outcome and reconciled, never blindly repeated.
      await lanes.postpone(part.lane, retryDelayMs(policy.retry, part.lane.attempts + 1, policy.random), true);
    }
  }

  /** Media are with Meta before the attempt begins: an upload that breaks, or a process that ends in it, has sent nothing. */
  async function prepareAndPost(part: OutgoingPart, signal: AbortSignal): Promise<void> {
    const accessToken = tokenOf(part);
    // Before its file, which is refused as well: nothing of a number that is paused leaves but the one that goes first.
    if (!(await breaker.mayLeave(part))) {
      await settle.add(waitForProbe(part, policy));
      return;
    }
    if (part.kind === "raw" || mediaIn(part.payload).length === 0)
      return post(part, accessToken, { wire: part.payload });
    const prepared = await preparePart(part, accessToken, signal);
    if (prepared.kind === "later") return;
    if (prepared.kind === "settle") {
      await settleUnsent(prepared.settlement);
      if (prepared.refused !== undefined) await tellOthers(part, prepared.refused);
      return;
    }
    if (!prepared.wasSlow) return post(prepared.part, accessToken, prepared);
    // Meanwhile the window may have closed, or the number gone.
    const [now] = await outbox.head([part.lane]);
    if (now?.outboxId !== part.outboxId) return lanes.release([part.lane]);
    const decision = decideBefore(now, policy);
    if (decision.kind === "settle") return settleUnsent(decision.settlement);
    // It was paused meanwhile, or has strikes that this one was not let go with.
    if (now.connection.pause.strikes !== part.connection.pause.strikes && !(await breaker.mayLeave(now))) {
      await settle.add(waitForProbe(now, policy));
      return;
    }
    await post(now, tokenOf(now), prepared);
  }

  /** Without an attempt: its end is said, its waiting is not. */
  async function settleUnsent(settlement: Settlement): Promise<void> {
    await settle.add(settlement);
    if (settlement.next.kind === "done") logOutcome(settlement);
  }

  function tokenOf({ connection: { connectionId, customerConfigId, accessTokenEnc } }: OutgoingPart): string {
    return secretBox.open(accessTokenEnc ?? "", { customerConfigId, rowId: connectionId, field: "access_token" });
  }

  /** @param part as it is stored. */
  async function post(
    part: OutgoingPart,
    accessToken: string,
    { wire, used = [], known = [] }: Leaving,
  ): Promise<void> {
    const { connectionId, phoneNumberId, wabaId, accessTokenEnc } = part.connection;
    const token = newToken();
    if (!(await begin.add({ part, token, mediaIds: used }))) {
      // A status has settled it meanwhile, or the lease is lost: then this does nothing.
      await lanes.release([part.lane]);
      return;
    }
    const answer = await graphApi.postMessage({
      phoneNumberId,
      accessToken,
      endpoint: part.endpoint,
      body: {
        messaging_product: "whatsapp",
        recipient_type: "individual",
        ...addressOf(part),
        ...wire,
        biz_opaque_callback_data: token,
      },
    });
    const rejection = answer.kind === "rejected" && answer.rejection.retry === "reauth" ? answer.rejection : null;
    const verdict = rejection && (await deps.verifyToken({ connectionId, wabaId, accessToken, meta: rejection.meta }));
    const outcome: PostOutcome =
      rejection !== null && verdict === "valid"
        ? { ...answer, kind: "rejected", rejection: { ...rejection, retry: "fix", message: NOT_THE_TOKEN } }
        : answer;
    const decided = decideAfter(part, token, outcome, policy);
    const isMended = outcome.kind === "rejected" && (await beside(part, () => mend(part, outcome, known))) === true;
    const settlement = isMended ? againAtOnce(decided) : decided;
    await settle.add(settlement);
    if (isMended) deps.onPaced(AT_ONCE_MS);
    logOutcome(settlement);
    // What is refused again in half a minute says it again.
    if (verdict === "dead")
      await beside(part, () =>
        connections.requireReauth({
          connectionId,
          accessTokenEnc: accessTokenEnc ?? "",
          reason: "Meta refuses the access token: reconnect the number.",
        }),
      );
    await tellOthers(part, outcome);
  }

  async function tellOthers(part: OutgoingPart, outcome: PostOutcome): Promise<void> {
    await throughput.onOutcome(part, outcome);
    await breaker.onOutcome(part, outcome);
  }

  /** That it fails must not leave a definite answer of Meta's unwritten. @returns null then. */
  async function beside<T>({ outboxId }: OutgoingPart, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      log.warn({ stage: "out", outboxId, error: nameOf(error) }, "what goes with a refused send could not be done");
      return null;
    }
  }

  /** @returns whether what Meta may have disliked is out of the way. */
  async function mend(part: OutgoingPart, outcome: PostOutcome, known: readonly string[]): Promise<boolean> {
    const blamed = blames(outcome);
    if (blamed.id && known.length > 0 && part.rejections < MOST_DEAD_IDS) {
      await outboundMedia.forgetUploads(part.connection.phoneNumberId, known);
      return true;
    }
    // One that may have arrived as a picture must not come as a link too.
    const by = blamed.link && part.ambiguous.count === 0 ? withoutMedia(part) : null;
    return by !== null && (await outbox.rewrite(part, by));
  }

  function logOutcome({ part, attempt, next, error, messageId }: Settlement): void {
    const fields = {
      stage: "out",
      outboxId: part.outboxId,
      sendId: part.sendId,
      part: part.index,
      conversationId: part.conversationId,
      attempt,
      state: next.kind === "replace" ? "replaced" : next.state,
      messageId,
      code: error?.meta?.code ?? error?.code,
    };
    if (attempt === "accepted") log.info(fields, "accepted by Meta");
    else log.warn(fields, next.kind === "retry" ? "not sent yet" : "not sent");
  }
}

/** With "+", or Meta may put the business number's own country code in front. A phone number, when known, is preferred. */
function addressOf({ recipient }: OutgoingPart): Readonly<Record<string, string>> {
  if (recipient.phoneNumber !== null) return { to: `+${recipient.phoneNumber}` };
  return { recipient: recipient.userId ?? "" };
}
