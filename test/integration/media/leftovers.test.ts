/** Objects that no row has: noted before they are written, removed when nobody wants them. */
import { describe, expect, it } from "vitest";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createMediaRecords } from "../../../adapters/postgres/media.ts";
import { createPrune } from "../../../adapters/postgres/prune.ts";
import { createRemoveLeftovers } from "../../../plugin/media/remove-leftovers.ts";
import { readRetention } from "../../../plugin/pipeline/retention.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { waiters } from "../engine/support.ts";

const TENANT = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";
const PICTURE = { kind: "image", filename: null, mime: "image/png", size: 10, sha256: "00" } as const;
/** A test has more callers at once than its pool has connections, and a busy machine. */
const PATIENT = { schema: "public", hostSchema: "public", acquireTimeoutMs: 30_000 };

async function start() {
  const { knex } = await createTestDatabase();
  const records = createMediaRecords(createDatabase(knex, PATIENT));
  const removed: string[] = [];
  const upkeep = (fails: (key: string) => boolean = () => false) =>
    createRemoveLeftovers({
      records,
      mediaStore: {
        async remove(key) {
          if (fails(key)) throw new Error("the store is away");
          removed.push(key);
        },
        sweep: async () => 0,
      },
      now: () => new Date(),
    })(new AbortController().signal);
  const keep = async (customerConfigId: string, size = 10, quotaBytes = Number.POSITIVE_INFINITY) => {
    const storageKey = await records.reserve(customerConfigId);
    return records.keep({ ...PICTURE, customerConfigId, storageKey, size }, quotaBytes);
  };
  const keys = async () =>
    (await knex("whatsapp_media_leftovers").select<{ storage_key: string }[]>("storage_key")).map(
      ({ storage_key }) => storage_key,
    );
  return { knex, records, removed, upkeep, keep, keys };
}

describe("the key of an object", () => {
  it("is the tenant's, random, and noted before anything is written", async () => {
    const { records, keys } = await start();

    const [one, two] = [await records.reserve(TENANT), await records.reserve(TENANT)];

    expect(one).toMatch(new RegExp(`^${TENANT}/[A-Za-z0-9_-]{32}$`));
    expect(two).not.toBe(one);
    expect((await keys()).sort()).toEqual([one, two].sort());
  });

  it("is a leftover no longer once a row has it", async () => {
    const { knex, records, removed, upkeep, keep, keys } = await start();

    const id = await keep(TENANT);
    await knex("whatsapp_media").update({ created_at: "2020-01-01" });
    await upkeep();

    expect(await keys()).toEqual([]);
    expect(removed).toEqual([]);
    expect(await records.find(id, TENANT)).toMatchObject({ id, direction: "out", state: "stored", size: 10 });
  });

  it("is let alone while it is written, and removed after a day", async () => {
    const { knex, records, removed, upkeep, keys } = await start();
    const key = await records.reserve(TENANT);

    await upkeep();
    expect(removed).toEqual([]);

    await knex("whatsapp_media_leftovers").update({ remove_at: knex.raw("now() - interval '1 second'") });
    await upkeep();
    expect(removed).toEqual([key]);
    expect(await keys()).toEqual([]);
  });

  it("is not given up once a row has it, though whoever kept it never heard of it", async () => {
    const { records, removed, upkeep, keep, keys } = await start();
    const id = await keep(TENANT);
    const { storageKey } = (await records.find(id, TENANT)) ?? {};

    // The COMMIT was lost on its way back.
    await records.discard(String(storageKey));
    await upkeep();

    expect(await keys()).toEqual([]);
    expect(removed).toEqual([]);
  });

  it("cannot be kept once it is due: somebody is perhaps removing it", async () => {
    const { records, keys } = await start();
    const storageKey = await records.reserve(TENANT);
    await records.discard(storageKey);

    await expect(
      records.keep({ ...PICTURE, customerConfigId: TENANT, storageKey }, Number.POSITIVE_INFINITY),
    ).rejects.toMatchObject({ code: "MEDIA_STORE_UNAVAILABLE" });
    expect(await keys()).toEqual([storageKey]);
  });
});

describe("the upkeep", () => {
  it("goes past an object that cannot be removed, keeps its key, and fails", async () => {
    const { records, removed, upkeep, keys } = await start();
    const all = await Promise.all(Array.from({ length: 150 }, () => records.reserve(TENANT)));
    for (const key of all) await records.discard(key);
    const [first] = all as [string];

    await expect(upkeep((key) => key === first)).rejects.toThrow("the store is away");
    expect(removed).toHaveLength(149);
    expect(await keys()).toEqual([first]);

    await upkeep();
    expect(await keys()).toEqual([]);
  });
});

describe("media of a tenant", () => {
  it("are nobody else's", async () => {
    const { records, keep } = await start();
    const id = await keep(TENANT);

    expect(await records.find(id, OTHER)).toBeNull();
    expect(await records.used(OTHER)).toBe(0);
    expect(await records.used(TENANT)).toBe(10);
  });

  it("take no more than their share, however many come at once", async () => {
    const { knex, records, keep, keys } = await start();
    const reserved = await Promise.all(Array.from({ length: 5 }, () => records.reserve(TENANT)));
    // Whoever has counted waits here before theirs is added.
    const holding = await knex.transaction();
    await holding.raw("lock table whatsapp_media_leftovers in share mode");

    const keeping = Promise.allSettled(
      reserved.map((storageKey) => records.keep({ ...PICTURE, customerConfigId: TENANT, storageKey, size: 30 }, 100)),
    );
    await waiters(async (sql) => (await knex.raw(sql)).rows, reserved.length);
    await holding.commit();
    const settled = await keeping;
    await keep(OTHER, 100, 100);

    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    for (const one of settled)
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "MEDIA_QUOTA_EXCEEDED" });
    expect(await records.used(TENANT)).toBe(90);
    // What was not kept is removed by and by.
    expect(await keys()).toHaveLength(2);
  });
});

describe("old media", () => {
  const prune = (knex: Awaited<ReturnType<typeof start>>["knex"], given = {}) =>
    createPrune(createDatabase(knex, { schema: "public", hostSchema: "public" }))(
      readRetention(given),
      new AbortController().signal,
    );
  const age = (knex: Awaited<ReturnType<typeof start>>["knex"], days: number) =>
    knex("whatsapp_media").update({ created_at: knex.raw("now() - ? * interval '1 day'", [days]) });

  it("go after 90 days, or as many as the host says, and their bytes with them", async () => {
    const { knex, records, removed, upkeep, keep } = await start();
    const id = await keep(TENANT);
    const key = (await records.find(id, TENANT))?.storageKey;

    await age(knex, 89);
    expect(await prune(knex)).toMatchObject({ media: 0 });
    expect(await prune(knex, { mediaDays: 90 })).toMatchObject({ media: 0 });
    await age(knex, 91);
    expect(await prune(knex, { mediaDays: 92 })).toMatchObject({ media: 0 });
    expect(await prune(knex)).toMatchObject({ media: 1 });

    expect(await records.find(id, TENANT)).toBeNull();
    expect(removed).toEqual([]);
    await upkeep();
    expect(removed).toEqual([key]);
  });

  it("stay while they are on their way, and go when they never came", async () => {
    const { knex, keep } = await start();
    await keep(TENANT);
    await knex("whatsapp_media").update({ state: "pending", storage_key: null });
    await age(knex, 1_000);
    expect(await prune(knex)).toMatchObject({ media: 0 });

    await knex("whatsapp_media").update({ state: "expired" });
    expect(await prune(knex)).toMatchObject({ media: 1 });
  });

  it("cannot be kept for fewer days than Meta brings a delivery again", () => {
    expect(() => readRetention({ mediaDays: 7 })).toThrow("retention.mediaDays");
  });
});
