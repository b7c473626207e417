/** Meta's stand-in for a host that is running already: its Graph API is this, and its webhooks come from here. */
import { createSimulator, type Simulator } from "@omniops/whatsapp/simulator";
import type { Fixture, Manifest } from "../qa/fixtures.ts";
import { readPayload } from "../qa/payload.ts";
import { usageError } from "./command.ts";

export type StandIn = {
  readonly meta: Simulator;
  /** Recorded id → the one that the host knows. */
  readonly numbers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

export async function startStandIn(options: {
  readonly to: string;
  readonly port: number;
  readonly appSecret: string;
  readonly accessToken: string;
  /** `phone number id/account id` */
  readonly number: string | undefined;
  readonly fixtures: readonly Fixture[];
  readonly manifest: Manifest | null;
}): Promise<StandIn> {
  const { fixtures, manifest, number } = options;
  const found = [...(manifest?.numbers ?? []), ...fixtures.flatMap(({ bytes }) => readPayload(bytes).numbers)];
  const recorded = [...new Map(found.map((one) => [one.phoneNumberId, one])).values()];
  const [only] = recorded;
  if (number !== undefined && (only === undefined || recorded.length > 1))
    throw usageError(`--number is for recordings of one number; these speak of ${recorded.length}.`, "replay --help");
  const [phoneNumberId, wabaId] = number?.split("/") ?? [];
  const there =
    only === undefined || phoneNumberId === undefined || wabaId === undefined
      ? recorded
      : [{ ...only, phoneNumberId, wabaId }];
  const meta = createSimulator({
    // While a secret is changed it is `new,old`.
    appSecret: options.appSecret.split(",")[0] ?? "",
    verifyToken: "replay",
    accessToken: options.accessToken,
    numbers: there.map((one) => ({ ...one, verifiedName: "Recorded number" })),
    port: options.port,
    webhookUrl: `${options.to.replace(/\/+$/, "")}/webhook`,
    statusDelayMs: 1,
    requireAppSecretProof: false,
  });
  await meta.start().catch((error: Error & { readonly code?: string }) => {
    if (error.code !== "EADDRINUSE") throw error;
    throw usageError(`Port ${options.port} is taken: give another --graph-port, and tell the host.`, "replay --help");
  });
  return {
    meta,
    numbers:
      only === undefined || phoneNumberId === undefined || wabaId === undefined
        ? {}
        : { [only.phoneNumberId]: phoneNumberId, [only.wabaId]: wabaId },
    stop: meta.stop,
  };
}
