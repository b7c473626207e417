/** "It looks right, why does nothing arrive?": gathers, judges, and answers in the order in which a message meets things. */
import { readTenant } from "../uuid.ts";
import { diagnose } from "./diagnose.ts";
import type { Diagnosis } from "./finding.ts";
import { type GatherDeps, type GatherRequest, gather } from "./gather.ts";

/** What the doctor is to look at; everything when nothing is given. */
export type DoctorRequest = {
  /** Only this tenant's numbers, and nothing of what others receive; all when left out. */
  readonly customerConfigId?: string;
  /** Ask neither Meta nor the webhook's public address. Default false. */
  readonly offline?: boolean;
};

export type Doctor = (request?: DoctorRequest) => Promise<Diagnosis>;

/** @param open makes what is needed for one examination; `close` gives it back. */
export function createDoctor(open: () => { readonly deps: GatherDeps; close(): void }): Doctor {
  const underWay = new Map<string, Promise<Diagnosis>>();

  async function examine(request: GatherRequest): Promise<Diagnosis> {
    const { deps, close } = open();
    try {
      return diagnose(await gather(deps, request));
    } finally {
      close();
    }
  }

  return async ({ customerConfigId: given, offline = false } = {}) => {
    const customerConfigId = given == null ? null : readTenant(given);
    // Somebody who asks while it is being looked at gets the same answer: Meta allows an app only so many calls.
    const key = `${customerConfigId} ${offline}`;
    const running = underWay.get(key) ?? examine({ customerConfigId, offline }).finally(() => underWay.delete(key));
    underWay.set(key, running);
    return running;
  };
}
