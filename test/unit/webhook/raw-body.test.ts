/** Bodies that come too slowly: nobody holds a socket open by sending nothing. */
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readRawBody } from "../../../plugin/http/raw-body.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

function slowRequest(): PassThrough & IncomingMessage {
  return Object.assign(new PassThrough(), { headers: { "content-length": "1000" } }) as unknown as PassThrough &
    IncomingMessage;
}

describe("a body", () => {
  it("that is not complete after ten seconds is given up, however often a byte of it comes", async () => {
    const request = slowRequest();
    const outcome = readRawBody(request).catch((error: unknown) => error);

    for (let second = 1; second < 10; second++) {
      request.write("x");
      await vi.advanceTimersByTimeAsync(1_000);
    }
    const listenersBefore = request.listenerCount("data");
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await outcome).toMatchObject({ code: "BODY_INCOMPLETE" });
    expect([listenersBefore, request.listenerCount("data")]).toEqual([1, 0]);
  });

  it("that is complete leaves no timer behind", async () => {
    const request = slowRequest();
    const body = readRawBody(request);

    request.write("a");
    request.end("b");

    expect(Buffer.from(await body).toString()).toBe("ab");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that the platform has kept is taken where the request itself brings none", async () => {
    const request = Object.assign(slowRequest(), { rawBody: Buffer.from("kept") });

    expect(Buffer.from(await readRawBody(request)).toString()).toBe("kept");
    expect(vi.getTimerCount()).toBe(0);
  });
});
