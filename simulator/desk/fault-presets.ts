/** The faults that the phone's drawer offers: each named, explained, armed and taken back. */
import type { Fault, WebhookFaults } from "../faults.ts";
import type { Simulator } from "../simulator.ts";

type Offered = { readonly id: string; readonly title: string; readonly about: string };
/** Befalls the next request and is then over. */
type NextPreset = Offered & { readonly fault: Fault };
/** Holds until it is switched off. */
type SwitchPreset = Offered & {
  isOn(meta: Simulator, memory: Switches): boolean;
  set(meta: Simulator, isOn: boolean, memory: Switches): void;
};

/** What the simulator itself cannot be asked about. */
type Switches = { revokedSubcode: number | null };

/** How the drawer shows a fault. */
export type ShownPreset = Offered & { readonly kind: "next" | "switch"; readonly isOn: boolean };
export type ShownFault = { readonly id: number; readonly title: string; readonly left: number };

export type FaultDesk = {
  presets(): readonly ShownPreset[];
  /** What waits for its request, the page's and everybody else's. */
  armed(): readonly ShownFault[];
  /** @returns false when there is no such preset. */
  arm(preset: string): boolean;
  /** A preset that is switched on, or a fault that waits; what is not there needs no taking back. */
  takeBack(presetOrId: string): void;
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
  revoked("token-revoked", "The token is revoked", 460, "Somebody changed a password: 190 with subcode 460."),
  revoked("token-expired", "The token has expired", 463, "190 with subcode 463, until it is switched off again."),
];

export function createFaultDesk(meta: Simulator, onChange: () => void): FaultDesk {
  const titles = new Map<number, string>();
  const memory: Switches = { revokedSubcode: null };

  return {
    presets: () => [
      ...NEXT.map(({ id, title, about }) => ({ id, title, about, kind: "next" as const, isOn: false })),
      ...SWITCHES.map(({ id, title, about, isOn }) => ({
        id,
        title,
        about,
        kind: "switch" as const,
        isOn: isOn(meta, memory),
      })),
    ],
    armed: () =>
      meta.faults.armed().next.map(({ id, fault, left }) => ({ id, left, title: titles.get(id) ?? describe(fault) })),
    arm(preset) {
      const next = NEXT.find(({ id }) => id === preset);
      const held = SWITCHES.find(({ id }) => id === preset);
      if (next) titles.set(meta.faults.next(next.fault), next.title);
      held?.set(meta, true, memory);
      onChange();
      return next !== undefined || held !== undefined;
    },
    takeBack(presetOrId) {
      SWITCHES.find(({ id }) => id === presetOrId)?.set(meta, false, memory);
      if (/^\d+$/.test(presetOrId)) meta.faults.takeBack(Number(presetOrId));
      onChange();
    },
    clear() {
      for (const held of SWITCHES) if (held.isOn(meta, memory)) held.set(meta, false, memory);
      meta.faults.clear();
      onChange();
    },
  };
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

function revoked(id: string, title: string, subcode: number, about: string): SwitchPreset {
  return {
    id,
    title,
    about,
    isOn: (_, memory) => memory.revokedSubcode === subcode,
    set(meta, isOn, memory) {
      if (isOn) meta.revokeToken({ subcode });
      else if (memory.revokedSubcode === subcode) meta.restoreToken();
      if (isOn || memory.revokedSubcode === subcode) memory.revokedSubcode = isOn ? subcode : null;
    },
  };
}

function describe({ do: kind, on = "messages" }: Fault): string {
  if (typeof kind === "string") return `${kind} on ${on}`;
  if ("error" in kind) return `${kind.error.code} on ${on}`;
  if ("failed" in kind) return `fails later with ${kind.failed.code} on ${on}`;
  return `download fault on ${on}`;
}
