/** What the host hears of what people have written: as it stands by now, whatever order Meta has brought it in. Pure. */
import type { ChannelEvent, EchoEvent, HistoryEvent, MessageEvent, StandbyEvent } from "../../plugin/contract.ts";
import type { Effects, ShownChange } from "../../plugin/ports.ts";

type Told = Effects["told"][number];

/** A message, by whose it is and its wamid. */
export type Place = Pick<ShownChange, "contactId" | "targetId">;

export type Standing = {
  /** What these events change, whether it counts or not. */
  readonly made: readonly ShownChange[];
  /** What counts of it, and of what has waited for these messages. */
  readonly standing: readonly ShownChange[];
  /** What had been deleted before. */
  readonly gone: readonly Place[];
};

/**
 * @returns them without what is deleted, whose words nobody is to see, and without edits that something newer has overtaken; a message that
 * was written anew before it came has the words that stand.
 */
export function asItStands(told: readonly Told[], { made, standing, gone }: Standing): readonly Told[] {
  const deleted = new Set([...standing.filter(isDeletion), ...gone].map(placeOf));
  const words = new Map(
    standing.flatMap((one) => (one.inTurn?.kind === "edit" ? [[placeOf(one), one.inTurn.text]] : [])),
  );
  const counts = new Set(standing);
  const overtaken = new Set(
    made
      .filter((one) => one.inTurn?.kind === "edit" && (!counts.has(one) || deleted.has(placeOf(one))))
      .map(({ eventId }) => eventId),
  );
  return told.flatMap((one) => {
    const { eventId, contactId, event } = one;
    if (contactId === null) return [one];
    if (overtaken.has(eventId)) return [];
    const placed = (targetId: string) => placeOf({ contactId, targetId });
    if (event.kind === "history") return [{ ...one, event: ofHistory(event, (id) => deleted.has(placed(id))) }];
    const id = ownIdOf(event);
    if (id === null) return [one];
    if (deleted.has(placed(id))) return [];
    const text = words.get(placed(id));
    return [text === undefined || !isSaid(event) ? one : { ...one, event: { ...event, text } }];
  });
}

export function isDeletion({ inTurn }: ShownChange): boolean {
  return inTurn?.kind === "remove";
}

function placeOf({ contactId, targetId }: Place): string {
  return `${contactId} ${targetId}`;
}

type SaidEvent = MessageEvent | EchoEvent | StandbyEvent;

function isSaid(event: ChannelEvent): event is SaidEvent {
  return event.kind === "message" || event.kind === "echo" || event.kind === "standby";
}

/** @returns null for what is no message of its own. */
function ownIdOf(event: ChannelEvent): string | null {
  if (event.kind === "message" || event.kind === "unsupported") return event.messageId;
  return isSaid(event) && event.change === undefined ? event.messageId : null;
}

/** Meta's own words of the thread hold all of them, so they go with the first. */
function ofHistory(event: HistoryEvent, isDeleted: (messageId: string) => boolean): HistoryEvent {
  const messages = event.messages.filter(
    ({ messageId, change }) => !isDeleted(change?.kind === "edit" ? change.targetId : messageId),
  );
  return messages.length === event.messages.length ? event : { ...event, messages, raw: null };
}
