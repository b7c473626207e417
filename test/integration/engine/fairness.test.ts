/** One tenant's backlog, or slow AI, is not the others' trouble. */
import { createHash } from "node:crypto";
import type { Turn } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { createTenantShares, type TenantShares } from "../../../plugin/pipeline/tenant-shares.ts";
import type { ClaimedLane } from "../../../plugin/ports.ts";
import { quiet, TENANT, until } from "../../support/channel.ts";
import { instance, LONG_LEASE_MS } from "./instance.ts";
import { delivery, type Engine, gate, message, startEngine } from "./support.ts";

const B = "00000000-0000-4000-8000-00000000000b";
const B_NUMBER = "301777000333555";

/** How lanes name a tenant. */
const inLanes = (id: string) =>
  createHash("md5")
    .update(id)
    .digest("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

/** Tenant A, whose number is connected already, and tenant B with one of their own. */
async function startTwo(): Promise<Engine> {
  const engine = await startEngine({ leaseMs: LONG_LEASE_MS });
  await engine.rows("insert into customer_configs (id) values (?)", [B]);
  await engine.rows(
    `with number as (
       insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number)
       values (?, ?, '201555000111888', '15557770155') returning id)
     insert into whatsapp_oauth_tokens (customer_config_id, connection_id, access_token_enc) select ?, id, 'sealed' from number`,
    [B, B_NUMBER, B],
  );
  return engine;
}

/** So many people write to A, each once, and then a few to B. */
async function write({ store }: Engine, toA: number, toB: number): Promise<void> {
  const of = (tenant: string, count: number, to?: string) =>
    delivery(
      ...Array.from({ length: count }, (_, i) =>
        message({ id: `wamid.${tenant}.${i}`, phone: `4477009${String(i).padStart(5, "0")}`, ...(to && { to }) }),
      ),
    );
  await store.inbox.record([of("A", toA)]);
  await store.inbox.record([of("B", toB, B_NUMBER)]);
}

const tenantOf = ({ customerConfigId }: Turn) => (customerConfigId === TENANT ? "A" : "B");

describe("a backlog of one tenant", () => {
  it("does not stand before another's work: applied, asked and sent before half of it is done", async () => {
    const engine = await startTwo();
    await write(engine, 900, 3);
    const asked = new Map<string, string>();
    const posted: string[] = [];
    const pipeline = instance(
      engine.store,
      {
        reply(turn) {
          // At least once: a busy machine may ask again.
          asked.set(turn.turnId, tenantOf(turn));
          return "Yes.";
        },
      },
      { onPost: (phoneNumberId) => void posted.push(phoneNumberId === B_NUMBER ? "B" : "A") },
    );

    pipeline.start();
    await quiet(engine, 100_000);

    for (const order of [[...asked.values()], posted]) {
      expect(order).toHaveLength(903);
      expect(order.filter((tenant) => tenant === "B")).toHaveLength(3);
      expect(order.lastIndexOf("B")).toBeLessThan(450);
    }
  }, 120_000);

  it("leaves places to others when its AI never answers", async () => {
    const engine = await startTwo();
    await write(engine, 400, 2);
    const never = gate("late");
    const answered: string[] = [];
    const pipeline = instance(engine.store, {
      async reply(turn) {
        if (tenantOf(turn) === "A") await never.promise;
        answered.push(tenantOf(turn));
        return null;
      },
    });

    pipeline.start();
    await until(() => answered.length === 2, "B to be answered", 60_000);

    expect(answered).toEqual(["B", "B"]);
  }, 90_000);

  it("is claimed in rounds: the same number of each tenant's lanes, or none of those left out", async () => {
    const engine = await startTwo();
    await write(engine, 40, 3);
    const count = (lanes: readonly ClaimedLane[]) =>
      [TENANT, B].map((one) => lanes.filter(({ tenant }) => tenant === inLanes(one)).length);

    const oldest = await engine.store.lanes.claim("in", 10);
    const inRounds = await engine.store.lanes.claim("in", 4, { without: [] });
    const withoutA = await engine.store.lanes.claim("in", 10, { without: [inLanes(TENANT)] });
    const rest = await engine.store.lanes.claim("in", 100, { without: [inLanes(B)] });

    expect([oldest, inRounds, withoutA, rest].map(count)).toEqual([
      [10, 0],
      [2, 2],
      [0, 1],
      [28, 0],
    ]);
    expect(new Set([...oldest, ...inRounds, ...withoutA, ...rest].map(({ laneKey }) => laneKey)).size).toBe(43);
  });

  it("is claimed by two instances at once without a lane in common", async () => {
    const engine = await startTwo();
    await write(engine, 60, 20);
    const stores = [engine.store, engine.another(), engine.another()];

    const claims = await Promise.all(
      stores.flatMap(({ lanes }) => [1, 2].map(() => lanes.claim("in", 20, { without: [] }))),
    );

    const keys = claims.flat().map(({ laneKey }) => laneKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("belongs to its tenant in every stage", async () => {
    const engine = await startTwo();
    await write(engine, 2, 1);
    instance(engine.store, { reply: () => "Yes." }).start();
    await quiet(engine, 60_000);

    const found = await engine.rows<{ stage: string; tenant: string; n: number }>(
      "select stage, tenant, count(*)::int as n from whatsapp_lanes group by 1, 2 order by 1, 3",
    );
    expect(found).toEqual(
      ["in", "out", "turn"].flatMap((stage) => [
        { stage, tenant: inLanes(B), n: 1 },
        { stage, tenant: inLanes(TENANT), n: 2 },
      ]),
    );
  }, 90_000);
});

describe("places of a worker", () => {
  const lane = (tenant: string) => ({ tenant }) as ClaimedLane;
  /** As many as it may have, in claims of any size. */
  const fill = (shares: TenantShares, tenant: string) => {
    for (let room = shares.room(); room.limit > 0 && !room.without.includes(tenant); room = shares.room())
      for (let i = 0; i < room.limit; i++) shares.take(lane(tenant));
  };

  it("go to one alone up to three quarters, and the rest to whoever else comes", () => {
    const shares = createTenantShares(256);
    fill(shares, "A");
    expect(shares.room()).toEqual({ limit: 48, without: ["A"] });
    shares.giveBack(lane("A"));
    expect(shares.room()).toEqual({ limit: 1, without: [] });
  });

  it("are left for a fourth by three who would take all", () => {
    const shares = createTenantShares(256);
    for (const tenant of ["A", "B", "C"]) fill(shares, tenant);
    expect(shares.room()).toEqual({ limit: 3, without: ["A", "B", "C"] });
  });

  it("can all be used where there is only one", () => {
    expect(createTenantShares(1).room()).toEqual({ limit: 1, without: [] });
  });
});
