/** What has changed since somebody looked: a few indexed looks, for a page that asks every few seconds. */

import { createHash } from "node:crypto";
import { ChannelError } from "../errors.ts";
import type { Audit, AuditMarks, AuditOwner } from "../ports.ts";

const KINDS = [
  "messages",
  "webhooks",
  "deadLetters",
  "templates",
  "numbers",
] as const satisfies readonly (keyof AuditMarks)[];
/** Of another version it may have more kinds or fewer: a page that was open during an upgrade is told that all of them are new. */
const CURSOR = /^[\w-]{8}(?:\.[\w-]{8}){3,7}$/;

export type Changes = Readonly<Record<keyof AuditMarks, boolean>> & {
  /** For the next look. */
  readonly cursor: string;
};

export type LookForChanges = (owner: AuditOwner, since: string | undefined) => Promise<Changes>;

/** @throws ChannelError REQUEST_INVALID. */
export function createLookForChanges(audit: Pick<Audit, "marks">): LookForChanges {
  return async (owner, since) => {
    const before = since === undefined ? [] : since.split(".");
    if (since !== undefined && !CURSOR.test(since))
      throw new ChannelError("REQUEST_INVALID", "since is the cursor of the look before.");
    const marks = await audit.marks(owner);
    const now = KINDS.map((kind) => createHash("sha256").update(marks[kind]).digest("base64url").slice(0, 8));
    const changed = Object.fromEntries(KINDS.map((kind, i) => [kind, before[i] !== now[i]]));
    return { cursor: now.join("."), ...(changed as Record<keyof AuditMarks, boolean>) };
  };
}
