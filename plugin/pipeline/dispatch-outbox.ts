/** Stage `out`: one part at a time per recipient: attempt row committed → POST to Graph → outcome committed. */
import type { Connections, GraphApi, Lanes, Logger, Outbox, OutgoingPart, SecretBox, Settlement } from "../ports.ts";
import { createBreaker } from "./breaker.ts";
import { type DispatchPolicy, decideAfter, decideBefore, waitFor, waitForProbe } from "./decide-next.ts";
import { isStoreDown } from "./failure.ts";
import { createGroupCommit } from "./group-commit.ts";
import { type LaneHandler, NOTHING_TO_DO_MS, nameOf } from "./lane-worker.ts";
import { retryDelayMs } from "./retry-schedule.ts";
import type { Throughput } from "./throughput.ts";

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
};

export function createDispatchOutbox(deps: DispatchDeps): LaneHandler {
  const { lanes, outbox, connections, graphApi, secretBox, log, policy, newToken, onSettled, throughput } = deps;
  const breaker = createBreaker({ connections, log, retry: policy.retry });
  const grouped = { isItemsFault: (error: unknown) => !isStoreDown(error), maxItems: 200 };
  const begin = createGroupCommit<{ part: OutgoingPart; token: string }, boolean>({ ...grouped, commit: outbox.begin });
  const settle = createGroupCommit<Settlement, boolean>({ ...grouped, commit: outbox.settle });

  return async function dispatchOutbox(claimed, { finished }): Promise<void> {
    const heads = await outbox.head(claimed);
    const waits = await throughput.admit(
      heads.filter((part) => part !== null && decideBefore(part, policy).kind === "post") as readonly OutgoingPart[],
    );
    await Promise.all(
      claimed.map(async (lane, i) => {
        const part = heads[i] ?? null;
        try {
          if (part === null) await lanes.postpone(lane, NOTHING_TO_DO_MS, false);
          else await dispatch(part, waits.get(part) ?? 0);
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

  async function dispatch(part: OutgoingPart, waitMs: number): Promise<void> {
    try {
      const decision = waitMs > 0 ? waitFor(part, waitMs) : decideBefore(part, policy);
      if (decision.kind === "settle") {
        await settle.add(decision.settlement);
        if (decision.settlement.next.kind === "done") logOutcome(decision.settlement);
      } else await post(part);
      onSettled();
    } catch (error) {
      const at = { stage: "out", outboxId: part.outboxId, error: nameOf(error) };
      log.warn(at, "a send could not be carried through; its lane comes back");
      // What was begun is found as an attempt without an outcome and reconciled, never blindly repeated.
      await lanes.postpone(part.lane, retryDelayMs(policy.retry, part.lane.attempts + 1, policy.random), true);
    }
  }

  async function post(part: OutgoingPart): Promise<void> {
    const { connectionId, customerConfigId, phoneNumberId, accessTokenEnc } = part.connection;
    const accessToken = secretBox.open(accessTokenEnc ?? "", {
      customerConfigId,
      rowId: connectionId,
      field: "access_token",
    });
    if (!(await breaker.mayLeave(part))) {
      await settle.add(waitForProbe(part, policy));
      return;
    }
    const token = newToken();
    if (!(await begin.add({ part, token }))) {
      // A status has settled it meanwhile, or the lease is lost: then this does nothing.
      await lanes.release([part.lane]);
      return;
    }
    const outcome = await graphApi.postMessage({
      phoneNumberId,
      accessToken,
      endpoint: part.endpoint,
      body: {
        messaging_product: "whatsapp",
        recipient_type: "individual",
        ...addressOf(part),
        ...part.payload,
        biz_opaque_callback_data: token,
      },
    });
    if (outcome.kind === "rejected" && outcome.rejection.retry === "reauth")
      await connections.requireReauth({
        connectionId,
        accessTokenEnc: accessTokenEnc ?? "",
        reason: "Meta refuses the access token: reconnect the number.",
      });
    const settlement = decideAfter(part, token, outcome, policy);
    await settle.add(settlement);
    logOutcome(settlement);
    await throughput.onOutcome(part, outcome);
    await breaker.onOutcome(part, outcome);
  }

  function logOutcome({ part, attempt, next, error, messageId }: Settlement): void {
    const fields = {
      stage: "out",
      outboxId: part.outboxId,
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
