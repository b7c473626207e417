/** When an alarm is raised and when it is over: decided from what was measured and what is raised already. */
import { describe, expect, it } from "vitest";
import { ALARMS, readAlarmLimits } from "../../../plugin/operations/alarms.ts";
import { createWatch, judge } from "../../../plugin/operations/watch.ts";
import type { RaisedAlarm, Sign } from "../../../plugin/ports.ts";

const limits = readAlarmLimits() ?? expect.fail("alarms are on by default");
const lag = (value: number, subject = "turn"): Sign => ({ kind: "lag", subject, value });
const raisedLag: RaisedAlarm = { kind: "lag", subject: "turn", since: new Date(0) };

describe("an alarm", () => {
  it("is raised above its limit, with its value and what to do", () => {
    expect(judge([lag(60)], [], limits)).toEqual([]);
    expect(judge([lag(61.4)], [], limits)).toEqual([
      {
        kind: "lag",
        state: "raised",
        subject: "turn",
        value: 61,
        limit: 60,
        unit: "seconds",
        message: expect.stringContaining('"turn" has been ready for 61 s'),
      },
    ]);
  });

  it("is not raised again while it is, and one of another subject is another alarm", () => {
    expect(judge([lag(500)], [raisedLag], limits)).toEqual([]);
    expect(judge([lag(500), lag(70, "out")], [raisedLag], limits)).toMatchObject([{ subject: "out" }]);
  });

  it("is cleared at half of its limit, so that a value that trembles about it says nothing", () => {
    for (const value of [59, 61, 31]) expect(judge([lag(value)], [raisedLag], limits)).toEqual([]);
    expect(judge([lag(30)], [raisedLag], limits)).toMatchObject([{ state: "cleared", subject: "turn", value: 30 }]);
  });

  it("is cleared when there is nothing left to measure", () => {
    expect(judge([], [raisedLag], limits)).toMatchObject([{ state: "cleared", value: 0 }]);
  });

  it.each(Object.keys(ALARMS) as (keyof typeof ALARMS)[])("of kind %s says in a sentence what to do", (kind) => {
    const [raised] = judge([{ kind, subject: "in", value: 9_999_999 }], [], limits);

    expect(raised?.message).toMatch(/^.{40,300}\.$/);
    expect(ALARMS[kind].cleared("in")).toMatch(/^.{10,120}\.$/);
  });
});

describe("the limits", () => {
  it("are the host's where it gives them, and off where it says so", () => {
    expect(readAlarmLimits({ lag: 5 })).toEqual({ ...limits, lag: 5 });
    expect(readAlarmLimits(false)).toBeNull();
    expect(judge([lag(1e9)], [], { ...limits, lag: Number.POSITIVE_INFINITY })).toEqual([]);
  });

  it.each([{ lag: -1 }, { lag: Number.NaN }, { lag: "60" }, { slow: 60 }])("%j is refused", (given) => {
    expect(() => readAlarmLimits(given as never)).toThrow(/alarms\.(lag|slow)/);
  });

  it("is refused where nobody would see it: a silence is looked for in the last day", () => {
    expect(readAlarmLimits({ "webhooks-silent": 86_400 })).toMatchObject({ "webhooks-silent": 86_400 });
    expect(readAlarmLimits({ "webhooks-silent": Number.POSITIVE_INFINITY })).not.toBeNull();
    expect(() => readAlarmLimits({ "webhooks-silent": 86_401 })).toThrow(
      "alarms.webhooks-silent must be at most 86400",
    );
  });
});

it("only what nobody else has written before is said to the log", async () => {
  const said: [string, object][] = [];
  const say = (level: string) => (fields: object) => void said.push([level, fields]);
  const watch = createWatch({
    limits,
    log: { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") },
    alarms: {
      signs: async () => [lag(99), lag(99, "in")],
      raised: async () => [{ kind: "quarantined", subject: "", since: new Date(0) }],
      change: async (changes) =>
        changes.filter(({ subject }) => subject !== "in").map((one) => ({ ...one, since: "2026-11-27T08:00:00.000Z" })),
    },
  });

  await watch();

  expect(said).toEqual([
    ["warn", { alarm: "lag", state: "raised", subject: "turn", value: 99, limit: 60 }],
    ["info", { alarm: "quarantined", state: "cleared", subject: "", value: 0, limit: 0 }],
  ]);
});
