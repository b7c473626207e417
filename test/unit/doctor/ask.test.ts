/** Asking: a few at a time, nothing thrown, nothing waited for beyond the deadline, nothing foreign quoted. */
import { describe, expect, it } from "vitest";
import { startAsking } from "../../../plugin/doctor/ask.ts";
import { ChannelError } from "../../../plugin/errors.ts";

const never = () => new Promise<never>(() => undefined);

describe("asking", () => {
  it("keeps to its limit, line by line, and answers in the order of the questions", async () => {
    const asking = startAsking(10_000);
    const ask = asking.line(2);
    let running = 0;
    let most = 0;

    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, i) =>
        ask(async () => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
          return i;
        }),
      ),
    );
    asking.end();

    expect(answers).toEqual(Array.from({ length: 9 }, (_, i) => ({ known: i })));
    expect(most).toBe(2);
  });

  it("ends for all at the deadline, asked or still in the queue", async () => {
    const asking = startAsking(20);
    const ask = asking.line(1);
    let asked = 0;
    const count = async () => {
      asked += 1;
    };

    const answers = await Promise.all([asking.line(1)(async () => "in time"), ask(never), ask(count)]);

    expect(answers).toEqual([{ known: "in time" }, { skipped: "late" }, { skipped: "late" }]);
    expect(asked).toBe(0);
  });

  it("says what Meta refused, and of a foreign error no more than its name", async () => {
    const asking = startAsking(10_000);
    const ask = asking.line(1);
    const meta = { code: 190, subcode: 460, title: null, details: null, fbtraceId: null };

    const refused = await ask(() =>
      Promise.reject(new ChannelError("GRAPH_REJECTED", "No.", { retry: "reauth", meta })),
    );
    const foreign = await ask(() => Promise.reject(Object.assign(new TypeError("token EAAx"), { code: "42P01" })));
    const odd = await ask(() => Promise.reject(null));
    const next = await ask(async () => 1);
    asking.end();

    expect(refused).toEqual({ failed: "No.", code: 190, subcode: 460, reauth: true });
    expect(foreign).toEqual({ failed: "It failed (TypeError 42P01)." });
    expect(odd).toEqual({ failed: "It failed (Error)." });
    expect(next).toEqual({ known: 1 });
  });
});
