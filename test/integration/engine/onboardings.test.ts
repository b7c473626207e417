/** Onboardings of one tenant as they are stored. */
import { expect, it } from "vitest";
import type { Store } from "../../../plugin/ports.ts";
import { TENANT } from "../../support/channel.ts";
import { hold, startEngine, waiters } from "./support.ts";

const begin = ({ onboardings }: Store) =>
  onboardings.begin({
    customerConfigId: TENANT,
    userId: null,
    flow: "redirect",
    progress: {
      hints: { wabaId: null, phoneNumberId: null },
      token: null,
      numbers: null,
      chosen: [],
      pins: {},
      takeovers: [],
      steps: [],
    },
    seal: () => "sealed",
    busyMs: 60_000,
  });

it("of two that begin at the same moment only the later one keeps its token", async () => {
  const { store, another, database, rows } = await startEngine();
  const somebody = await hold(database);
  await somebody.query("lock table whatsapp_onboardings in share mode");

  const both = [begin(another()), begin(another())];
  await waiters(rows, 2);
  await somebody.commit();
  await Promise.all(both);

  expect(await store.onboardings.current(TENANT)).toMatchObject({ state: "running", accessTokenEnc: "sealed" });
  expect(
    await rows("select state, count(access_token_enc)::int as tokens from whatsapp_onboardings group by 1 order by 1"),
  ).toEqual([
    { state: "failed", tokens: 0 },
    { state: "running", tokens: 1 },
  ]);
});
