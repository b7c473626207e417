/** What was held when processes ended, time and again, is worked alone. */
import { expect, it } from "vitest";
import { createCrashSuspects, endsProcesses } from "../../../plugin/pipeline/crash-suspects.ts";
import { lane } from "./held-lanes.ts";

const RETRY = { maxAttempts: 4, baseMs: 10, maxMs: 10 };
const crashed = (laneKey: string, crashes: number) => ({ ...lane(laneKey), crashes });
const keys = (lanes: readonly { readonly laneKey: string }[]) => lanes.map(({ laneKey }) => laneKey);

function admitting() {
  let now = 0;
  const suspects = createCrashSuspects(RETRY, () => now);
  const pass = (ms: number) => {
    now += ms;
  };
  return { suspects, pass };
}

it("lanes of a process that ended once or twice by chance are all worked at once", () => {
  const { suspects } = admitting();
  const some = [crashed("a", 0), crashed("b", 1), crashed("c", 1)];
  expect(suspects.admit(some)).toEqual({ now: some, wait: [] });
});

it("of those held too often one is worked, the likeliest to be innocent, and everybody else beside it", () => {
  const { suspects } = admitting();
  const { now, wait } = suspects.admit([crashed("culprit", 5), crashed("beside", 2), crashed("new", 0)]);
  expect(keys(now)).toEqual(["beside", "new"]);
  expect(keys(wait)).toEqual(["culprit"]);
});

it("the next one comes when it has ended, in whatever stage it was", () => {
  const { suspects } = admitting();
  const [first, second] = [crashed("a", 2), crashed("b", 3)];
  suspects.admit([first]);
  suspects.finished(crashed("somebody else's", 0));
  expect(suspects.admit([second, crashed("new", 0)])).toMatchObject({ now: [{ laneKey: "new" }], wait: [second] });
  suspects.finished(first);
  expect(suspects.admit([second])).toEqual({ now: [second], wait: [] });
});

it("one that never comes back keeps the others for ten seconds, not for ever", () => {
  const { suspects, pass } = admitting();
  suspects.admit([crashed("hangs", 2)]);
  pass(10_000);
  expect(keys(suspects.admit([crashed("b", 2)]).wait)).toEqual(["b"]);
  pass(1);
  expect(keys(suspects.admit([crashed("b", 2)]).now)).toEqual(["b"]);
});

it("a head is taken for the reason after twice as many ends as it may fail", () => {
  expect(endsProcesses(crashed("a", 7), RETRY)).toBe(false);
  expect(endsProcesses(crashed("a", 8), RETRY)).toBe(true);
});

it("a host that lets its AI be away for long does not let its processes end more often", () => {
  const patient = { ...RETRY, maxAttempts: 100 };
  expect([crashed("a", 15), crashed("a", 16)].map((lane) => endsProcesses(lane, patient))).toEqual([false, true]);
  const { wait } = createCrashSuspects(patient, () => 0).admit([crashed("a", 4), crashed("b", 4), crashed("c", 3)]);
  expect(keys(wait)).toEqual(["b"]);
});
