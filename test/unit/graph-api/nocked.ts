/** Graph as nock plays it: nothing else can be reached, and an expected call that was not made fails the test. */
import nock from "nock";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { PostOutcome, Rejection } from "../../../plugin/ports.ts";
import { graphAt, MESSAGES, ORIGIN, post } from "./graph.ts";

export function onlyNock(): void {
  beforeAll(() => nock.disableNetConnect());
  afterEach(() => {
    const unused = nock.pendingMocks();
    nock.cleanAll();
    expect(unused).toEqual([]);
  });
  afterAll(() => nock.restore());
}

/** What Meta answers to the next message, and what we make of it. */
export async function outcomeOf(
  status: number,
  body: nock.Body,
  headers: Readonly<Record<string, string>> = {},
): Promise<PostOutcome> {
  nock(ORIGIN).post(MESSAGES).query(true).reply(status, body, headers);
  return post(graphAt());
}

export async function rejectionOf(
  status: number,
  error: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Rejection> {
  const outcome = await outcomeOf(status, { error }, headers);
  if (outcome.kind !== "rejected") expect.fail(`expected a rejection, not ${JSON.stringify(outcome)}`);
  return outcome.rejection;
}
