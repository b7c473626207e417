/** What came in and what was answered, as it is stored, for whoever makes test cases of it. */
import type { AuditOwner, EventPlace } from "./audit.ts";
import type { ErasureSubject } from "./erasure.ts";

/** Which stored traffic is meant; all of it when nothing is given. */
export type TrafficQuery = {
  /** Only what they wrote and what concerns them. Default: everybody. */
  readonly person?: ErasureSubject | undefined;
  /** Received then or later. */
  readonly since?: Date | undefined;
  /** Received before that. */
  readonly until?: Date | undefined;
  /** `whatsapp_webhooks.webhook_type`: `message`, `status`, …; all when it is empty or left out. */
  readonly types?: readonly string[] | undefined;
  /** The tenant (`customer_configs.id`); only numbers that are connected for it. */
  readonly customerConfigId?: string | undefined;
  /** The oldest so many deliveries, from 1 to 10000. Default 1000. */
  readonly limit?: number | undefined;
};

/** What was received and answered, as a recording is made from it. */
export type StoredTraffic = {
  /** Oldest first. Neither quarantined nor erased ones. */
  readonly deliveries: readonly StoredDelivery[];
  readonly turns: readonly StoredTurn[];
  /** The numbers that the turns belong to. */
  readonly numbers: readonly StoredNumber[];
  /** The templates that were sent. */
  readonly templates: readonly TrafficTemplate[];
  /** Everybody who is known to those numbers: a text may speak of any of them. At most 100000. */
  readonly people: readonly StoredPerson[];
  /** Every number and user id of the person that was asked for; empty when nobody was, or nobody is known by it. */
  readonly addresses: readonly string[];
  /** Deliveries that the query fits and that have nothing worth replaying: no JSON, erased, or nothing of the tenant's. */
  readonly skipped: number;
  /** There are more than `limit`. */
  readonly more: boolean;
};

/** Every name under which somebody is known. */
export type StoredPerson = {
  readonly name: string | null;
  readonly username: string | null;
  readonly phoneNumber: string | null;
  readonly userId: string | null;
};

/** One delivery. */
export type StoredDelivery = {
  readonly webhookId: string;
  readonly receivedAt: Date;
  readonly type: string;
  /** The bytes as they came; where a tenant was asked for, and others' changes came with theirs, JSON of theirs alone. */
  readonly body: Uint8Array;
};

/** Messages that were answered together, and what Meta took as the answer. */
export type StoredTurn = {
  readonly turnId: string;
  readonly phoneNumberId: string;
  /** Digits; null when Meta gave only a user id. */
  readonly phoneNumber: string | null;
  readonly userId: string | null;
  /** The wamids. */
  readonly messageIds: readonly string[];
  /** In the order in which they left; empty when the host kept silent. */
  readonly sends: readonly {
    readonly endpoint: "messages" | "marketing_messages";
    /** The Graph message, without whom it goes to. */
    readonly message: Readonly<Record<string, unknown>>;
    readonly messageId: string;
  }[];
};

/** A number that the traffic speaks of. */
export type StoredNumber = {
  readonly phoneNumberId: string;
  readonly wabaId: string;
  readonly displayPhoneNumber: string;
};

/** A template that was sent, as Meta had approved it. */
export type TrafficTemplate = {
  readonly wabaId: string;
  readonly name: string;
  readonly language: string;
  readonly category: string | null;
  readonly status: string;
  readonly parameterFormat: string;
  readonly components: readonly Readonly<Record<string, unknown>>[];
};

export type Recordings = {
  /** Deliveries with all that came in them, whoever's it is. */
  read(query: TrafficQuery): Promise<StoredTraffic>;
  /** What the tenant's events in these deliveries came to, by delivery. */
  ownPlaces(owner: AuditOwner, webhookIds: readonly string[]): Promise<ReadonlyMap<string, readonly EventPlace[]>>;
};
