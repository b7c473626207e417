/** Puts the phone together: the one file that sees its page, its API and the simulator behind them. */
import type { AccountBook } from "../accounts/account-book.ts";
import type { Activity } from "../activity.ts";
import type { Conversations } from "../conversations.ts";
import type { SimulatedFile } from "../options.ts";
import type { People, PersonRecord } from "../people.ts";
import type { Person, Simulator } from "../simulator.ts";
import type { Tokens } from "../tokens.ts";
import { createFaultDesk } from "./fault-presets.ts";
import { createPhoneActions } from "./phone-actions.ts";
import { phoneState } from "./phone-state.ts";
import { createPhoneServer, type PhoneServer } from "./serve-phone.ts";

export function createDesk(deps: {
  readonly meta: Simulator;
  readonly appName: string;
  readonly appId: string;
  readonly tokens: Tokens;
  readonly activity: Activity;
  readonly people: People;
  readonly personOf: (record: PersonRecord) => Person;
  readonly book: AccountBook;
  readonly conversations: Conversations;
  readonly fileOf: (id: string) => SimulatedFile | null;
}): PhoneServer {
  const faults = createFaultDesk({ ...deps, onChange: deps.activity.changed });
  const server = createPhoneServer({
    actions: createPhoneActions({ ...deps, faults }),
    state: (chosen) => phoneState({ ...deps, faults }, chosen),
    fileOf: deps.fileOf,
  });
  deps.activity.onChange(server.announce);
  return server;
}
