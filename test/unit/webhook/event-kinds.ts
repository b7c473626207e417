/** Every kind of event. The record is checked by the compiler: a new kind that is missing here does not build. */
import type { ChannelEvent } from "../../../plugin/contract.ts";

const KINDS: Readonly<Record<ChannelEvent["kind"], true>> = {
  message: true,
  status: true,
  reaction: true,
  edit: true,
  revoke: true,
  echo: true,
  "contact-changed": true,
  template: true,
  account: true,
  "phone-number": true,
  preference: true,
  call: true,
  flow: true,
  history: true,
  standby: true,
  unsupported: true,
};

export const EVENT_KINDS: readonly string[] = Object.keys(KINDS);
