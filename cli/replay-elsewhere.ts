/** Meta's stand-in for a host that is running already: its Graph API is this, and its webhooks come from here. */
import type { SimulatedTemplate, Simulator } from "@omniops/whatsapp/simulator";
import type { Fixture, Manifest } from "../qa/fixtures.ts";
import { readPayload } from "../qa/payload.ts";
import type { Wrong } from "./command.ts";

/** What is replayed: read once, by whoever sets the stage for it. */
export type Recorded = { readonly fixtures: readonly Fixture[]; readonly manifest: Manifest | null };

type StandIn = {
  /** Started; whoever asked for it stops it. */
  readonly meta: Simulator;
  /** Recorded id → the one that the host knows. */
  readonly numbers: Readonly<Record<string, string>>;
};

export async function standInFor(
  { fixtures, manifest }: Recorded,
  {
    to,
    port,
    number,
    wrong,
  }: {
    /** The mounted router. */
    readonly to: string;
    readonly port: number;
    /** `phone number id/account id` */
    readonly number: string | undefined;
    readonly wrong: Wrong;
  },
): Promise<StandIn> {
  const { META_APP_SECRET: appSecret, WHATSAPP_ACCESS_TOKEN: accessToken } = process.env;
  if (!appSecret || !accessToken)
    throw wrong("With --to set META_APP_SECRET and WHATSAPP_ACCESS_TOKEN, which the host has too.");
  if (!/^https?:/.test(to) || !URL.canParse(to))
    throw wrong("--to is the address of a mounted router, such as http://127.0.0.1:3000/api/whatsapp.");
  const [, phoneNumberId, wabaId] = /^(\d+)\/(\d+)$/.exec(number ?? "") ?? [];
  if (number !== undefined && wabaId === undefined)
    throw wrong("--number is a phone number id and its account's id: 301777000333444/201555000111222.");
  const found = [...(manifest?.numbers ?? []), ...fixtures.flatMap(({ bytes }) => readPayload(bytes).numbers)];
  const recorded = [...new Map(found.map((one) => [one.phoneNumberId, one])).values()];
  const [only] = recorded;
  if (number !== undefined && (only === undefined || recorded.length > 1))
    throw wrong(`--number is for recordings of one number; these speak of ${recorded.length}.`);
  const isNamed = only !== undefined && phoneNumberId !== undefined && wabaId !== undefined;
  const there = isNamed ? [{ ...only, phoneNumberId, wabaId }] : recorded;
  const { createSimulator } = await import("@omniops/whatsapp/simulator");
  const meta = createSimulator({
    // While a secret is changed it is `new,old`.
    appSecret: appSecret.split(",")[0] ?? "",
    verifyToken: "replay",
    accessToken,
    numbers: there.map((one) => ({ ...one, verifiedName: "Recorded number" })),
    port,
    webhookUrl: `${to.replace(/\/+$/, "")}/webhook`,
    statusDelayMs: 1,
    requireAppSecretProof: false,
  });
  for (const { wabaId: recordedId, ...template } of manifest?.templates ?? [])
    meta.templates.add(template as SimulatedTemplate, isNamed ? wabaId : String(recordedId));
  await meta.start().catch((error: Error & { readonly code?: string }) => {
    if (error.code !== "EADDRINUSE") throw error;
    throw wrong(`Port ${port} is taken: give another --graph-port, and tell the host.`);
  });
  return { meta, numbers: isNamed ? { [only.phoneNumberId]: phoneNumberId, [only.wabaId]: wabaId } : {} };
}
