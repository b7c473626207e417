/** Lets each accepted message become sent, delivered and read, a voice message played, and tells the host. */

import type { SimulatedNumber } from "./accounts/simulated-number.ts";
import type { Activity } from "./activity.ts";
import type { Conversations } from "./conversations.ts";
import { titleOf } from "./graph-error.ts";
import type { Settings } from "./options.ts";
import type { PersonRecord } from "./people.ts";
import type { Timers } from "./timers.ts";
import type { WebhookSender } from "./webhook-sender.ts";
import { type OutboundStatus, statusChange, type WireChange } from "./wire.ts";

/** A message that Meta took from the business. */
export type SentMessage = {
  readonly wamid: string;
  readonly number: SimulatedNumber;
  readonly person: PersonRecord;
  readonly type: string;
  readonly isVoice: boolean;
  readonly callbackData: string | null;
  readonly templateCategory: string | null;
  readonly isInWindow: boolean;
  readonly wasAddressedByUserId: boolean;
  /** Why Meta will not deliver it; null when it will. */
  readonly failure: { readonly code: number; readonly details: string } | null;
};

export type Statuses = {
  /** `isFirstAtOnce`: the first status leaves now; the promise resolves when the host was asked to take it. */
  follow(message: SentMessage, options: { readonly isFirstAtOnce: boolean }): Promise<void>;
  /** The first time tells `played`, once it has been read; later ones nothing. Throws when it is no voice message to this person. */
  play(wamid: string, person: PersonRecord): void;
};

/** A voice message that has arrived, or will. */
type Voice = { readonly message: SentMessage; isThere: boolean; isPlayed: boolean };

type Step = { readonly status: OutboundStatus; readonly afterMs: number };
type Batch = { changes: WireChange[]; wamids: string[] };

export function createStatuses(deps: {
  readonly settings: Settings;
  readonly activity: Activity;
  readonly timers: Timers;
  readonly conversations: Conversations;
  readonly sender: WebhookSender;
}): Statuses {
  const { settings, activity, timers, conversations, sender } = deps;
  const batches = new Map<string, Batch>();
  const voices = new Map<string, Voice>();

  function take(message: SentMessage, steps: readonly Step[], index: number): void {
    const step = steps[index];
    if (!step) {
      arrive(message);
      return;
    }
    activity.begin();
    const passedMs = index === 0 ? 0 : (steps[index - 1]?.afterMs ?? 0);
    timers.after(step.afterMs - passedMs, () => {
      void announce(message, step.status, { isAlone: false });
      take(message, steps, index + 1);
      activity.end();
    });
  }

  /** Whoever has played it already has done so at the end of what comes before that. */
  function arrive({ wamid }: SentMessage): void {
    const voice = voices.get(wamid);
    if (voice === undefined) return;
    voice.isThere = true;
    if (voice.isPlayed) tellPlayed(voice);
  }

  function tellPlayed({ message }: Voice): void {
    void announce(message, "played", { isAlone: false });
  }

  function announce(
    message: SentMessage,
    status: OutboundStatus,
    { isAlone }: { readonly isAlone: boolean },
  ): Promise<void> {
    const { wamid, number, failure } = message;
    conversations.tick(wamid, status, failure ? { code: failure.code, title: titleOf(failure.code) } : undefined);
    const change = statusChange({
      ...message,
      status,
      at: settings.now(),
      error: failure,
    });
    // Whoever waits for this one status must not wait for a batch to fill.
    return isAlone || settings.statusBatch.max <= 1
      ? sender.send({ kind: "status", lane: number.phoneNumberId, wamids: [wamid], content: [change] })
      : collect(number.phoneNumberId, change, wamid);
  }

  async function collect(lane: string, change: WireChange, wamid: string): Promise<void> {
    const { max, windowMs } = settings.statusBatch;
    const batch = batches.get(lane) ?? openBatch(lane, windowMs);
    batch.changes.push(change);
    batch.wamids.push(wamid);
    if (batch.changes.length >= max) flush(lane, batch);
  }

  function openBatch(lane: string, windowMs: number): Batch {
    const batch: Batch = { changes: [], wamids: [] };
    batches.set(lane, batch);
    activity.begin();
    timers.after(windowMs, () => flush(lane, batch));
    return batch;
  }

  function flush(lane: string, batch: Batch): void {
    if (batches.get(lane) !== batch) return;
    batches.delete(lane);
    void sender.send({ kind: "status", lane, wamids: batch.wamids, content: batch.changes });
    activity.end();
  }

  return {
    async follow(message, { isFirstAtOnce }) {
      const steps = stepsOf(message, settings);
      const first = steps[0];
      if (message.isVoice && message.failure === null)
        voices.set(message.wamid, { message, isThere: false, isPlayed: false });
      if (!isFirstAtOnce || !first) return take(message, steps, 0);
      take(message, steps, 1);
      await announce(message, first.status, { isAlone: true });
    },
    play(wamid, person) {
      const voice = voices.get(wamid);
      if (voice === undefined || voice.message.person.key !== person.key)
        throw new Error(`There is no voice message ${wamid} that came to ${person.name}.`);
      if (voice.isPlayed) return;
      voice.isPlayed = true;
      if (voice.isThere) tellPlayed(voice);
    },
  };
}

function stepsOf(message: SentMessage, { statusDelays }: Settings): readonly Step[] {
  if (message.failure) return [{ status: "failed", afterMs: statusDelays.sent }];
  const sent: Step = { status: "sent", afterMs: statusDelays.sent };
  // Meta announces nothing but `sent` for a reaction.
  if (message.type === "reaction") return [sent];
  const delivered: Step = { status: "delivered", afterMs: statusDelays.delivered };
  const read: Step = { status: "read", afterMs: statusDelays.read };
  return message.person.sendsReadReceipts ? [sent, delivered, read] : [sent, delivered];
}
