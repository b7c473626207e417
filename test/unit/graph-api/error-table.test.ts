/** Meta's error codes against the table of classes in its documentation, one row each. */
import nock from "nock";
import { describe, expect, it } from "vitest";
import type { Retry } from "../../../plugin/errors.ts";
import { graphAt, ORIGIN, TOKEN } from "./graph.ts";
import { onlyNock, rejectionOf } from "./nocked.ts";

onlyNock();

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** @see https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
const CLASSES: Readonly<Record<Exclude<Retry, "after">, readonly number[]>> = {
  reauth: [0, 10, 102, 190, 200, 210, 299, 131005],
  backoff: [1, 2, 130429, 131000, 131016, 131056, 131057, 133004, 139103],
  template: [131047],
  fix: [
    3, 33, 101, 104, 368, 130497, 131031, 131037, 131042, 131044, 131045, 131063, 131064, 132001, 132015, 132016,
    132068, 132069, 133000, 133005, 133006, 133010, 134011, 134102, 134103,
  ],
  // 131049 asks for a day's patience and penalises trying: the next message to this person must not wait behind it, nor behind 131064 and 132069.
  never: [
    100, 506, 803, 1026, 130403, 130472, 131008, 131009, 131014, 131020, 131021, 131026, 131030, 131041, 131049, 131050,
    131051, 131052, 131053, 131055, 131058, 131059, 131060, 131062, 131201, 131215, 132000, 132005, 132007, 132008,
    132012, 132018, 133012, 134100, 192, 2388019, 2388293, 2494100, 2593108, 135000, 137000, 138000, 138018, 139000,
    139004, 139100, 139102, 147001, 147005, 300, 199,
  ],
};

const AFTER: readonly (readonly [number, number])[] = [
  [4, MINUTE],
  [17, MINUTE],
  [32, MINUTE],
  [341, MINUTE],
  [613, MINUTE],
  [80007, MINUTE],
  [80008, MINUTE],
  [131208, MINUTE],
  [131048, HOUR],
  [133008, HOUR],
  [133009, HOUR],
  [133015, 5 * MINUTE],
  [133016, 72 * HOUR],
  [134101, 10 * MINUTE],
];

describe("the class of an error", () => {
  for (const [retry, codes] of Object.entries(CLASSES))
    it.each(codes.map((code) => ({ code })))(`of code $code is ${retry}`, async ({ code }) => {
      expect(await rejectionOf(400, { code })).toMatchObject({ retry, retryAfterMs: null });
    });

  it.each(AFTER)("of code %i is after, not before %i ms", async (code, retryAfterMs) => {
    expect(await rejectionOf(400, { code })).toMatchObject({ retry: "after", retryAfterMs });
  });

  it("of a code that nobody knows is never", async () => {
    expect(await rejectionOf(400, { code: 987654 })).toMatchObject({ retry: "never" });
  });

  it("is backoff when Meta calls the error transient, for codes unknown or otherwise hopeless", async () => {
    expect(await rejectionOf(400, { code: 987654, is_transient: true })).toMatchObject({ retry: "backoff" });
    expect(await rejectionOf(400, { code: 135000, is_transient: true })).toMatchObject({ retry: "backoff" });
    expect(await rejectionOf(400, { code: 100, is_transient: true })).toMatchObject({ retry: "backoff" });
    expect(await rejectionOf(400, { code: 100, is_transient: false })).toMatchObject({ retry: "never" });
  });

  it("is backoff too when Meta calls transient what is wrong with a template or a payment", async () => {
    for (const code of [131042, 132015]) {
      expect(await rejectionOf(400, { code, is_transient: true })).toMatchObject({ retry: "backoff" });
      expect(await rejectionOf(400, { code, is_transient: false })).toMatchObject({ retry: "fix" });
    }
  });

  it("stays what it is when Meta calls a dead token, a closed window or a locked account transient", async () => {
    expect(await rejectionOf(401, { code: 190, is_transient: true })).toMatchObject({ retry: "reauth" });
    expect(await rejectionOf(400, { code: 131047, is_transient: true })).toMatchObject({ retry: "template" });
    expect(await rejectionOf(400, { code: 131031, is_transient: true })).toMatchObject({ retry: "fix" });
  });

  it("tells a number that is gone or not visible (100 with subcode 33) from an invalid parameter", async () => {
    expect(await rejectionOf(400, { code: 100, error_subcode: 33 })).toMatchObject({ retry: "fix" });
    expect(await rejectionOf(400, { code: 100, error_subcode: 2494010 })).toMatchObject({ retry: "never" });
  });

  it.each([458, 459, 460, 463, 464, 467, 490, 492])("of 190 is reauth for subcode %i", async (error_subcode) => {
    expect(await rejectionOf(401, { code: 190, error_subcode })).toMatchObject({ retry: "reauth" });
  });

  it("does not depend on the HTTP status", async () => {
    for (const status of [400, 401, 403, 429, 500, 503])
      expect(await rejectionOf(status, { code: 131030 })).toMatchObject({ retry: "never" });
  });

  it("marks the pair limit, and nothing else, as concerning one recipient", async () => {
    const ofOne = await rejectionOf(400, { code: 131056 });
    expect(ofOne).toMatchObject({ perRecipient: true });
    expect(ofOne).not.toHaveProperty("throttles");
    expect(ofOne).not.toHaveProperty("number");
    expect(await rejectionOf(400, { code: 130429 })).toMatchObject({ perRecipient: false });
  });

  it("stops the whole number when it is blocked, locked, gone or not registered, and not for a payment that answers do not need", async () => {
    for (const code of [33, 368, 131031, 131045, 133010])
      expect(await rejectionOf(400, { code })).toMatchObject({ number: "blocked" });
    expect(await rejectionOf(400, { code: 100, error_subcode: 33 })).toMatchObject({ number: "blocked" });
    expect(await rejectionOf(400, { code: 100 })).not.toHaveProperty("number");
    expect(await rejectionOf(400, { code: 131042 })).not.toHaveProperty("number");
  });

  const PROOF_WRONG = "Invalid appsecret_proof provided in the API argument";

  it.each([
    { code: 100, message: PROOF_WRONG },
    { code: 100, message: "API calls from the server require an appsecret_proof argument" },
    { code: 101 },
    { code: 104 },
  ])("is of the app, and names its secret, where Meta does not take our proof of it (%o)", async (error) => {
    expect(await rejectionOf(400, error)).toMatchObject({
      retry: "fix",
      number: "app",
      message: expect.stringContaining("META_APP_SECRET"),
    });
  });

  it.each([
    [130429, "number"],
    [131048, "number"],
    [131208, "number"],
    [80007, "account"],
    [80008, "account"],
    [613, "account"],
    [17, "account"],
    [32, "account"],
    [4, "app"],
    [341, "app"],
  ])("of %i slows down the whole %s", async (code, throttles) => {
    expect(await rejectionOf(400, { code })).toMatchObject({ throttles });
  });

  it("is the same for a look-up, whose error says what to check and not what Meta wrote", async () => {
    const looksUp = async (error: object) => {
      nock(ORIGIN)
        .get("/v25.0/301777000333444")
        .query(true)
        .reply(400, { error: { message: "of +15557770100", ...error } });
      return graphAt()
        .phoneNumber({ phoneNumberId: "301777000333444", accessToken: TOKEN })
        .then(
          () => expect.fail("expected an error"),
          (error: Error) => error,
        );
    };

    expect(await looksUp({ code: 190 })).toMatchObject({ code: "GRAPH_REJECTED", retry: "reauth" });
    const gone = await looksUp({ code: 100, error_subcode: 33 });
    expect(gone).toMatchObject({ code: "GRAPH_REJECTED", retry: "fix", meta: { code: 100, subcode: 33 } });
    expect(gone.message).toMatch(/check/i);
    expect(gone.message).not.toMatch(/5557770100|send/);
    const unproven = await looksUp({ code: 100, message: PROOF_WRONG });
    expect(unproven).toMatchObject({ code: "GRAPH_REJECTED", retry: "fix", meta: { code: 100 } });
    expect(unproven.message).toMatch(/META_APP_SECRET/);
  });
});
