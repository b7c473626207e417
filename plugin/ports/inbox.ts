/** What came in: deliveries stored, events applied, and what they do to the database. */
import type { ChannelEvent, Person, ReceivedEvent, StatusEvent, TemplateEvent } from "../contract.ts";
import type { StoredTurnMessage, WantedMedia } from "./inbound-media.ts";
import type { ClaimedLane, Stage } from "./lanes.ts";

/** A verified delivery on its way into the inbox. */
export type IncomingDelivery = {
  readonly body: Uint8Array;
  readonly secretIndex: number;
  readonly webhookType: string;
  /** The body as JSON: as it is, where jsonb is sure to take it, or the text to store. Null when quarantined. */
  readonly payload: "verbatim" | { readonly text: string } | null;
  /** Why it is quarantined; null when it is not. */
  readonly error: string | null;
  readonly events: readonly ChannelEvent[];
};

export type RecordedDelivery = {
  readonly webhookId: string;
  readonly events: readonly ReceivedEvent[];
  /** Why only its bytes are kept, be it our reading or Postgres that refused them; null otherwise. */
  readonly error: string | null;
};

/** A stored event, as the apply stage reads it. */
export type StoredEvent = {
  readonly eventId: string;
  readonly laneKey: string;
  readonly contactId: string | null;
  readonly event: ChannelEvent;
  /** When we stored it, on the database's clock. */
  readonly receivedAt: Date;
  /** The same to the microsecond, ISO 8601: two messages of one delivery differ only there. */
  readonly storedAt: string;
  /** Now, on the same clock: it may have waited for a connection, or for somebody to put it back. */
  readonly appliedAt: Date;
  /** It was unknown when it came, and was read again by a later version: what it shows may have a row already. */
  readonly again: boolean;
};

/** What a batch of events does to the database: decided without it, written in one transaction. */
export type Effects = {
  /** Rows for the host's inbox, in the order of the events. */
  readonly shown: readonly ShownMessage[];
  /** What Meta says about a person now. */
  readonly profiles: readonly {
    readonly contactId: string;
    readonly person: Person;
    /** They have another number now: the one that we know is not theirs, also where the new one is not told. */
    readonly hasMoved?: true;
  }[];
  readonly windows: readonly OpenedWindow[];
  /** Edits, deletions and reactions: changes of rows that are there already, ours among them, or that have not come yet. */
  readonly changes: readonly ShownChange[];
  /** Staff has answered: until then the AI is not asked. */
  readonly pauses: readonly { readonly contactId: string; readonly until: Date }[];
  /**
   * Numbers that somebody else may have next, with the one that we know: no longer names of this person. Their old user ids are
   * for what comes late, and say that it is. `before` is what the move itself begins with: it may come late, too.
   */
  readonly leftNumbers: readonly {
    readonly contactId: string;
    readonly before: Person;
    readonly phoneNumbers: readonly string[];
    readonly userIds: readonly string[];
    readonly person: Person;
    /** When it was stored that they have left, to the microsecond, ISO 8601. */
    readonly at: string;
  }[];
  readonly preferences: readonly ContactPreference[];
  readonly templates: readonly TemplateEvent[];
  /** Accounts that Meta has taken from us, with every number in them. */
  readonly closings: readonly AccountClosing[];
  readonly statuses: readonly StatusEvent[];
  /** For the host's `onEvent`, in the order of the events; the conversation is added when written. */
  readonly told: readonly {
    readonly eventId: string;
    readonly contactId: string | null;
    readonly event: ChannelEvent;
    readonly late: boolean;
  }[];
};

export type AccountClosing = {
  readonly wabaId: string;
  /** What happened and what to do, in one sentence. */
  readonly reason: string;
  /** When it happened: a number that was connected since stays. */
  readonly at: Date;
};

/** A row of the host's inbox. */
export type ShownMessage = {
  readonly contactId: string;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly mediaType: string | null;
  /** The wamid. */
  readonly externalId: string;
  readonly status: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** ISO 8601: becomes `messages.created_at`. */
  readonly at: string;
  /** Left out where a row has this wamid already: history and echoes may bring what came before. */
  readonly unlessThere: boolean;
  /** Takes the place of the row that stood for it while it could not be read. */
  readonly again: boolean;
  /** What the AI is asked with; null where nobody is woken. */
  readonly wakes: Omit<StoredTurnMessage, "id"> | null;
  /** Its file, to be fetched from Meta; null where it has none, or none that Meta still has. */
  readonly media: WantedMedia | null;
};

export type OpenedWindow = {
  readonly contactId: string;
  readonly phoneNumber: string | null;
  /** WhatsApp's own time, never later than receipt. */
  readonly at: Date;
  /** They came by an ad: an answer within a day opens the free entry point. */
  readonly byAd: boolean;
};

/** A row that is there already, and what of it is new. */
export type ShownChange = {
  readonly contactId: string;
  /** The wamid of the row. */
  readonly targetId: string;
  /** The event that waits for its message where that has not come yet; null where none waits. */
  readonly eventId: string | null;
  /**
   * When it was made, by Meta's clock, ISO 8601: an older one changes nothing after a newer one, and nothing changes what is deleted.
   * Reactions count among themselves.
   */
  readonly at: string;
  /** Null: as before. */
  readonly content: string | null;
  /** Null: as before; empty: it is no media any more. */
  readonly mediaType: "" | null;
  /** Members of `channel_metadata`; one that is null goes. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The same for a turn that the AI has not seen yet; null where nothing of it changes. */
  readonly inTurn: { readonly kind: "edit"; readonly text: string | null } | { readonly kind: "remove" } | null;
};

export type ContactPreference = {
  readonly contactId: string;
  readonly category: string;
  readonly value: "stop" | "resume" | "signup";
  /** By whom we know: Meta, or the person's own word. */
  readonly source: "meta" | "keyword";
  readonly at: Date;
};

/** What became of what was unknown: events that are understood now, and those that still are not, by their type. */
export type ReadAgain = {
  readonly understood: number;
  /** Deliveries (`whatsapp_webhooks.id`) that the database refused, and its SQLSTATE: they stay as they were. */
  readonly failed: readonly { readonly webhookId: string; readonly error: string }[];
  readonly unknown: readonly { readonly type: string; readonly count: number; readonly last: Date }[];
};

export type Inbox = {
  /**
   * Stores deliveries and their events in one commit.
   * @throws ChannelError STORE_UNAVAILABLE when nothing, or perhaps nothing, was stored.
   */
  record(deliveries: readonly IncomingDelivery[]): Promise<readonly RecordedDelivery[]>;
  load(lanes: readonly ClaimedLane[], perLane: number): Promise<readonly StoredEvent[]>;
  /**
   * Effects, completion of the events and release of the lanes, in one transaction.
   * @returns the stages that have something to do now; null when a lease was lost: nothing was written.
   */
  apply(
    lanes: readonly ClaimedLane[],
    events: readonly StoredEvent[],
    effects: Effects,
  ): Promise<readonly Stage[] | null>;
  /** Moves the lane's head aside as a dead letter; the lane goes on. */
  bury(lane: ClaimedLane, eventId: string, error: string): Promise<void>;
  /**
   * Reads again what was unknown when it came: what is understood now takes its place and is queued. Safe to repeat.
   * It stays with whom it came to: what somebody else would get today is left as it was.
   * @param read the body of a delivery → its events; null when it cannot be read.
   * @param only what came to one tenant in one delivery. Default: everything.
   */
  readAgain(
    read: (body: Uint8Array) => readonly ChannelEvent[] | null,
    options?: {
      readonly only?: { readonly customerConfigId: string; readonly webhookId: string };
      readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
    },
  ): Promise<ReadAgain>;
  /**
   * Queues parked statuses whose message has appeared since. Edits and deletions that wait are taken up by their message.
   * @param everything also those that have waited for long, of which there may be very many; what has waited for too long ends. Default true.
   */
  unpark(everything?: boolean): Promise<number>;
  /**
   * Queues the next of what came for a number before it was connected, of which there may be very much. Until all of it is, what comes
   * for the number waits behind it. @returns whether there was such a number: then perhaps there is more.
   */
  catchUp(): Promise<boolean>;
};
