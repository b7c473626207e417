/** `dead-letters`: what lies aside is listed without what people said, and put back. */
import { beforeEach, describe, expect, test } from "vitest";
import { oneLine, openCli } from "../../support/cli.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const cli = openCli();

describe("dead-letters", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
    await database.knex.raw(
      `with delivery as (
         insert into whatsapp_webhooks (webhook_type, body, error) values ('message', '{"text":"secret words"}', 'dead letter: error P0001') returning id)
       insert into whatsapp_events (lane_key, dedupe_key, kind, payload, state, last_error, webhook_id, created_at)
       select 'in:number:1', n::text, 'message', '{"text":"secret words","from":"447700900123"}', 2, error, id, at from delivery,
         (values (1, 'error P0001', timestamptz '2026-11-25T08:00:00Z'), (2, 'error P0001', '2026-11-26T08:00:00Z'),
           (3, 'Error\u001b[31m', '2026-11-27T08:00:00Z')) as e (n, error, at)`,
    );
    await database.knex.raw(
      `insert into whatsapp_host_events (lane_key, event, state, last_error, created_at)
       values ('notify:number:1', '{"kind":"account","conversationId":null}', 2, 'TypeError', '2026-11-24T08:00:00Z')`,
    );
    return database.drop;
  });

  const list = async (...args: string[]) => {
    const { out } = await cli(["dead-letters", "list", "--json", ...args], { url: database.url });
    const { deadLetters, next } = JSON.parse(out) as { deadLetters: { id: string }[]; next: string | null };
    return { ids: deadLetters.map(({ id }) => id), next, out };
  };

  test("lists what lies aside, newest first, with its reason and without what people said", async () => {
    const { url } = database;

    const told = await cli(["dead-letters", "list"], { url });
    const none = await cli(["dead-letters", "list", "--stage", "turn"], { url });

    expect(told).toMatchObject({ code: 0, err: "" });
    expect(told.out).toMatch(
      /^in:3 {2}message, 2026-11-27T08:00:00\.000000Z, no conversation\n {2}Error\ufffd\[31m\n {2}Every try/,
    );
    expect(told.out).toContain("notify:1  account, 2026-11-24T08:00:00.000000Z, no conversation\n  TypeError\n");
    expect(told.out).not.toMatch(/secret|447700|\u001b/);
    expect(none).toEqual({ code: 0, err: "", out: "None.\n" });
  });

  test.each([
    [
      ["--error", "error P0001"],
      ["in:2", "in:1"],
    ],
    [["--from", "2026-11-26", "--until", "2026-11-27T09:00:00+01:00"], ["in:2"]],
    [["--conversation", "00000000-0000-4000-8000-000000000009"], []],
    [["--tenant", "00000000-0000-4000-8000-000000000009"], []],
  ])("takes the filters of the API: %j", async (args, ids) => {
    expect((await list(...args)).ids).toEqual(ids);
  });

  test("goes on where a page has ended", async () => {
    const first = await list("--limit", "3");

    expect(first.ids).toEqual(["in:3", "in:2", "in:1"]);
    expect((await list("--after", first.next ?? "")).ids).toEqual(["notify:1"]);
    expect(first.out).not.toMatch(/secret|447700/);
  });

  test("puts back what is asked for, oldest first, and says what is left", async () => {
    const { url, knex } = database;
    const redrive = (...args: string[]) => cli(["dead-letters", "redrive", ...args], { url });

    const first = await redrive("--stage", "in", "--limit", "1");
    expect(first).toMatchObject({ code: 0, out: "Put back: 1. 2 more match: run this again.\n" });
    expect(JSON.parse(first.err)).toMatchObject({
      by: expect.stringMatching(/^cli/),
      stage: "in",
      limit: 1,
      redriven: 1,
      left: 2,
      message: "dead letters were put back",
    });
    expect(JSON.parse((await redrive("in:3", "in:77", "--json")).out)).toEqual({ redriven: 1, left: 0 });
    expect(await redrive("--all")).toMatchObject({ code: 0, out: "Put back: 2.\n" });

    const lanes = await knex.raw("select lane_key, pending, ready_at <= now() as ready from whatsapp_lanes order by 1");
    expect(lanes.rows).toEqual([
      { lane_key: "in:number:1", pending: 3, ready: true },
      { lane_key: "notify:number:1", pending: 1, ready: true },
    ]);
  });

  test.each([
    [[], "Say what: list or redrive."],
    [["show"], '"show" is neither list nor redrive.'],
    [["list", "in:1"], '"in:1" is one argument too many.'],
    [["list", "--all"], "--all is for redrive: list shows whatever there is."],
    [["list", "--stage", "out"], "stage is in, turn or notify."],
    [["list", "--conversation", "17"], "conversationId is a uuid."],
    [["list", "--from", "yesterday"], "--from is a time such as 2026-11-27 or 2026-11-27T08:00:00Z."],
    [["list", "--until", "2026-11-27T08:00:00"], "--until is a time such as 2026-11-27 or 2026-11-27T08:00:00Z."],
    [["list", "--limit", "many"], "--limit is a whole number."],
    [["list", "--limit", "101"], "limit is a whole number from 1 to 100."],
    [["list", "--after", "there"], "after is the next of the page before."],
    [["redrive"], "Say which: ids, a filter, or --all for whatever there is."],
    [["redrive", "--all", "--stage", "in"], "--all says that there is no filter and no id."],
    [["redrive", "17"], '"17" is no id: they look like in:17, as list shows them.'],
    [["redrive", "--all", "--after", "x"], "--after is for list: redrive begins with the oldest."],
  ])("refuses %j", async (args, line) => {
    const run = await cli(["dead-letters", ...args], { url: database.url });

    expect(run.code).toBe(2);
    expect(oneLine(run)).toBe(`${line} See: whatsapp-channel dead-letters --help`);
    expect((await database.knex.raw("select 1 from whatsapp_lanes")).rows).toEqual([]);
  });
});
