/** Who is asking on a tenant's route: what the host's `authenticate` says, checked, and what it lets them do. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ChannelError } from "../errors.ts";
import { readUuid } from "../uuid.ts";

/**
 * What a person may do beside reading and sending. `connect`: connect and disconnect numbers; `operate`: read raw webhooks (what people
 * wrote), replay and redrive; write and delete templates at Meta.
 */
export type Permission = "connect" | "operate";

/** Somebody who is signed in at the host. */
export type Session = {
  /** The tenant: a `customer_configs.id` (uuid). */
  readonly customerConfigId: string;
  /** The person. A sign-in at Meta that one has started, nobody else can finish; what it has brought, any colleague with `connect` may go on with. */
  readonly userId?: string | undefined;
  /**
   * Anything that differs from one browser session to the next and stays the same within it; kept as a hash only.
   * Without it a cookie of ours takes its place.
   */
  readonly sessionId?: string | undefined;
  /** Default: none. */
  readonly permissions?: readonly Permission[] | undefined;
};

/** Asked for each request to a tenant route. @returns who is behind a request, or only the tenant's `customer_configs.id`, who then may read and send; null for nobody. */
export type Authenticate<Request> = (
  request: Request,
) => Promise<Session | string | null | undefined> | Session | string | null | undefined;

type Params = { readonly params: Readonly<Record<string, string | readonly string[] | undefined>> };
export type TenantRequest = IncomingMessage & Params;
export type TenantRoute = (request: TenantRequest, response: ServerResponse, session: Session) => Promise<void>;

/** @throws ChannelError NOT_AUTHENTICATED. */
export function readSession(answer: Session | string | null | undefined): Session {
  const session = typeof answer === "string" ? { customerConfigId: answer } : answer;
  const customerConfigId = readUuid(session?.customerConfigId);
  if (customerConfigId === null) throw new ChannelError("NOT_AUTHENTICATED", "Sign in first.");
  return { ...session, customerConfigId };
}

/** @throws ChannelError NOT_PERMITTED. */
export function requirePermission(session: Session, permission: Permission): void {
  if (session.permissions?.includes(permission) !== true)
    throw new ChannelError(
      "NOT_PERMITTED",
      `You may not do this: ask somebody who manages integrations. (For the host's developer: authenticate must return permissions: ["${permission}"].)`,
    );
}
