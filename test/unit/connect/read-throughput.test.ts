/** How fast numbers may send, asked once a day of each. */
import { describe, expect, it } from "vitest";
import { createReadThroughput } from "../../../plugin/connect/read-throughput.ts";
import { ChannelError } from "../../../plugin/errors.ts";

const number = (id: string) => ({
  connectionId: id,
  customerConfigId: "tenant",
  phoneNumberId: `30177700033300${id}`,
  accessTokenEnc: id,
});

describe("the daily look at how fast numbers may send", () => {
  it.each([
    ["a token that cannot be opened", "open"],
    ["a refusal of Meta's", "ask"],
  ])("goes on with the other numbers after %s", async (_what, fails) => {
    const saved: string[] = [];
    const warned: unknown[] = [];
    const refuse = (step: string, id: string) => {
      if (step === fails && id === "1") throw new ChannelError("GRAPH_REJECTED", "no");
    };
    const log = { debug() {}, info() {}, warn: (fields: object) => void warned.push(fields), error() {} };
    const read = createReadThroughput({
      connections: {
        staleNumbers: async () => [number("1"), number("2")],
        saveThroughput: async (id) => void saved.push(id),
      },
      secretBox: {
        open(sealed: string) {
          refuse("open", sealed);
          return sealed;
        },
      } as never,
      graphApi: {
        phoneNumber: async ({ accessToken }) => {
          refuse("ask", accessToken);
          return {} as never;
        },
      },
      log,
    });

    expect(await read()).toBe(2);
    expect(saved).toEqual(["2"]);
    expect(warned).toEqual([{ connectionId: "1", code: "GRAPH_REJECTED" }]);
  });
});
