/** The faults that the phone's drawer offers: each named, explained, armed and taken back. */
import type { Fault, WebhookFaults } from "../faults.ts";
import type { Simulator } from "../simulator.ts";
import type { Tokens } from "../tokens.ts";
import { createTokenSwitch, type TokenSwitch } from "./token-switch.ts";

type Offered = { readonly id: string; readonly title: string; readonly about: string };
/** Befalls the next request and is then over. */
type NextPreset = Offered & { readonly fault: Fault };
/** Holds until it is switched off. */
type SwitchPreset = Offered & {
  isOn(meta: Simulator): boolean;
  set(meta: Simulator, isOn: boolean): void;
};
/** The same for the tokens of one number. */
type TokenPreset = Offered & { readonly subcode: number };

/** How the drawer shows a fault. */
export type ShownPreset = Offered & { readonly kind: "next" | "switch"; readonly isOn: boolean };
export type ShownFault = { readonly id: number; readonly title: string; readonly left: number };

export type FaultDesk = {
  /** @param wabaId whose tokens the presets of tokens are about. */
  presets(wabaId: string | undefined): readonly ShownPreset[];
  /** What waits for its request, the page's and everybody else's. */
  armed(): readonly ShownFault[];
  /** @returns false when there is no such preset. */
  arm(preset: string, wabaId: string | undefined): boolean;
  /** A preset that is switched on, or a fault that waits; what is not there needs no taking back. */
  takeBack(presetOrId: string, wabaId: string | undefined): void;
  clear(): void;
};

const NEXT: readonly NextPreset[] = [
  refusal(131056, "Too many messages to this person in a short time: Meta asks to wait."),
  refusal(130429, "The number sends faster than Meta allows."),
  refusal(131047, "As if the person had not written for 24 hours."),
  {
    id: "undeliverable",
    title: "Next message fails later with 131026",
    about: "Meta answers 200, and then says by a status that the person cannot be reached.",
    fault: { do: { failed: { code: 131026, details: "The person cannot receive this message" } } },
  },
  {
    id: "graph-500",
    title: "Graph answers 500 three times",
    about: "The next three messages are answered with code 131000. Nothing is sent.",
    fault: { do: { error: { code: 131000 } }, times: 3 },
  },
  {
    id: "answer-lost",
    title: "Next answer is lost",
    about: "Meta takes the message, and the connection breaks before it can say so.",
    fault: { do: "accept-then-reset" },
  },
  {
    id: "slow",
    title: "Next send takes ten seconds",
    about: "Meta takes the message at once and answers late.",
    fault: { do: "slow", ms: 10_000 },
  },
  {
    id: "media-gone",
    title: "Next file cannot be fetched",
    about: "The bytes of what a person sends are answered with 404.",
    fault: { do: { download: { status: 404 } }, on: "media-download" },
  },
  {
    id: "upload-fails",
    title: "Next upload fails",
    about: "A file that the business uploads is answered with 500.",
    fault: { do: { error: { code: 131000 } }, on: "media-upload" },
  },
];

const SWITCHES: readonly SwitchPreset[] = [
  ofWebhooks("twice", "Every webhook twice", "Meta promises at least once, and means it.", { duplicate: 1 }),
  ofWebhooks("shuffled", "Webhooks out of order", "Each waits up to two seconds, so that they overtake each other.", {
    shuffle: true,
    shuffleMs: 2_000,
  }),
  ofWebhooks("late", "Statuses ten seconds late", "Sent, delivered and read arrive long after the message.", {
    delayStatusesMs: 10_000,
  }),
  ofWebhooks("early", "Statuses before the answer", "Sent arrives before the call to /messages is answered.", {
    statusesBeforeResponse: true,
  }),
  ofWebhooks("lost", "Half of the statuses are lost", "Meta does not send them, and never will.", {
    dropStatusesRate: 0.5,
  }),
];

const TOKENS: readonly TokenPreset[] = [
  {
    id: "token-expired",
    title: "The number’s token has expired",
    about: "190 with subcode 463: the host must ask to be connected again.",
    subcode: 463,
  },
  {
    id: "token-revoked",
    title: "The number’s token is revoked",
    about: "190 with subcode 460, as when somebody changes a password.",
    subcode: 460,
  },
];

export function createFaultDesk(deps: {
  readonly meta: Simulator;
  readonly tokens: Tokens;
  readonly appId: string;
  readonly onChange: () => void;
}): FaultDesk {
  const { meta, onChange } = deps;
  const titles = new Map<number, string>();
  const tokens: TokenSwitch = createTokenSwitch(deps);

  function set(preset: string, isOn: boolean, wabaId: string | undefined): boolean {
    const held = SWITCHES.find(({ id }) => id === preset);
    const ofTokens = TOKENS.find(({ id }) => id === preset);
    held?.set(meta, isOn);
    if (ofTokens) tokens.set(wabaId, isOn ? ofTokens.subcode : null);
    return held !== undefined || ofTokens !== undefined;
  }

  return {
    presets: (wabaId) => [
      ...NEXT.map((one) => shown(one, "next", false)),
      ...SWITCHES.map((one) => shown(one, "switch", one.isOn(meta))),
      ...TOKENS.map((one) => shown(one, "switch", tokens.subcodeOf(wabaId) === one.subcode)),
    ],
    armed: () =>
      meta.faults.armed().next.map(({ id, fault, left }) => ({ id, left, title: titles.get(id) ?? describe(fault) })),
    arm(preset, wabaId) {
      const next = NEXT.find(({ id }) => id === preset);
      if (next) titles.set(meta.faults.next(next.fault), next.title);
      const isKnown = set(preset, true, wabaId) || next !== undefined;
      onChange();
      return isKnown;
    },
    takeBack(presetOrId, wabaId) {
      set(presetOrId, false, wabaId);
      if (/^\d+$/.test(presetOrId)) meta.faults.takeBack(Number(presetOrId));
      onChange();
    },
    clear() {
      tokens.clear();
      meta.faults.clear();
      onChange();
    },
  };
}

function shown({ id, title, about }: Offered, kind: ShownPreset["kind"], isOn: boolean): ShownPreset {
  return { id, title, about, kind, isOn };
}

function refusal(code: number, about: string): NextPreset {
  return { id: `refuse-${code}`, title: `Next send fails with ${code}`, about, fault: { do: { error: { code } } } };
}

function ofWebhooks(id: string, title: string, about: string, faults: WebhookFaults): SwitchPreset {
  const names = Object.keys(faults) as readonly (keyof WebhookFaults)[];
  const without = (all: WebhookFaults) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !names.some((one) => one === name)));
  return {
    id,
    title,
    about,
    isOn: (meta) => {
      const { webhooks } = meta.faults.armed();
      return names.every((name) => webhooks[name] === faults[name]);
    },
    set(meta, isOn) {
      const { webhooks } = meta.faults.armed();
      meta.faults.webhooks(isOn ? { ...webhooks, ...faults } : without(webhooks));
    },
  };
}

function describe({ do: kind, on = "messages" }: Fault): string {
  if (typeof kind === "string") return `${kind} on ${on}`;
  if ("error" in kind) return `${kind.error.code} on ${on}`;
  if ("failed" in kind) return `fails later with ${kind.failed.code} on ${on}`;
  return `download fault on ${on}`;
}
