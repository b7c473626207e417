/** What leaves for Graph: method, path, proof and token on every call, and ids that cannot choose another path. */
import nock from "nock";
import { describe, expect, it } from "vitest";
import type { GraphApi } from "../../../plugin/ports.ts";
import { ACCEPTED, BODY, graphAt, MESSAGES, NUMBER_ID, ORIGIN, PROOF, TOKEN, WABA_ID } from "./graph.ts";
import { onlyNock } from "./nocked.ts";

onlyNock();

const CALLS: readonly (readonly [string, string, string, (graph: GraphApi) => Promise<unknown>])[] = [
  [
    "postMessage",
    "POST",
    MESSAGES,
    (graph) => graph.postMessage({ phoneNumberId: NUMBER_ID, accessToken: TOKEN, endpoint: "messages", body: BODY }),
  ],
  [
    "postMessage to the Marketing Messages API",
    "POST",
    `/v25.0/${NUMBER_ID}/marketing_messages`,
    (graph) =>
      graph.postMessage({ phoneNumberId: NUMBER_ID, accessToken: TOKEN, endpoint: "marketing_messages", body: BODY }),
  ],
  [
    "markRead",
    "POST",
    MESSAGES,
    (graph) => graph.markRead({ phoneNumberId: NUMBER_ID, accessToken: TOKEN, messageId: "wamid.IN1", typing: true }),
  ],
  [
    "phoneNumber",
    "GET",
    `/v25.0/${NUMBER_ID}`,
    (graph) => graph.phoneNumber({ phoneNumberId: NUMBER_ID, accessToken: TOKEN }),
  ],
  [
    "numbersOf",
    "GET",
    `/v25.0/${WABA_ID}/phone_numbers`,
    (graph) => graph.numbersOf({ wabaId: WABA_ID, accessToken: TOKEN }),
  ],
  [
    "templatesOf",
    "GET",
    `/v25.0/${WABA_ID}/message_templates`,
    (graph) => graph.templatesOf({ wabaId: WABA_ID, accessToken: TOKEN }),
  ],
];

describe("every call", () => {
  it.each(CALLS)(
    "%s proves that it knows the app secret, and carries the token in its header only",
    async (_name, method, path, call) => {
      const seen: { url: URL; authorization: string | undefined }[] = [];
      nock(ORIGIN)
        .intercept(path, method)
        .query(true)
        .reply(function () {
          seen.push({ url: new URL(this.req.path, ORIGIN), authorization: String(this.req.headers.authorization) });
          return [200, { ...ACCEPTED, data: [] }];
        });

      await call(graphAt());

      expect(seen).toHaveLength(1);
      expect(seen[0]!.url.pathname).toBe(path);
      expect(seen[0]!.url.searchParams.get("appsecret_proof")).toBe(PROOF);
      expect(seen[0]!.authorization).toBe(`Bearer ${TOKEN}`);
      expect(decodeURIComponent(seen[0]!.url.href)).not.toContain(TOKEN);
    },
  );

  it("posts the message as it was given, as JSON with its length in bytes", async () => {
    const body = { ...BODY, text: { body: "Grüße 👩🏽‍🚀" } };
    nock(ORIGIN, {
      reqheaders: {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(JSON.stringify(body))),
      },
    })
      .post(MESSAGES, body)
      .query(true)
      .reply(200, ACCEPTED);

    const call = { phoneNumberId: NUMBER_ID, accessToken: TOKEN, endpoint: "messages", body } as const;
    const outcome = await graphAt().postMessage(call);

    expect(outcome).toMatchObject({ kind: "accepted" });
  });

  it.each([
    "",
    "1234",
    "123456789012345678901",
    "me",
    "../me",
    "30177700033344４",
    "301777000333444/../me",
    "301777000333444%2Fmessages",
    "301777000333444?fields=id",
    "301777000333444#",
    "301777000333444\n",
    " 301777000333444",
    "+301777000333444",
  ])("refuses the id %j before anything leaves", async (id) => {
    const graph = graphAt();
    const refused = expect.objectContaining({ code: "REQUEST_INVALID" });

    const number = { phoneNumberId: id, accessToken: TOKEN };
    const account = { wabaId: id, accessToken: TOKEN };

    await expect(graph.postMessage({ ...number, endpoint: "messages", body: BODY })).rejects.toThrow(refused);
    await expect(graph.markRead({ ...number, messageId: "wamid.IN1", typing: false })).rejects.toThrow(refused);
    await expect(graph.phoneNumber(number)).rejects.toThrow(refused);
    await expect(graph.numbersOf(account)).rejects.toThrow(refused);
    await expect(graph.templatesOf(account)).rejects.toThrow(refused);
  });
});

describe("looking up a number", () => {
  it("reads what Meta shows of it, and does without what it leaves out", async () => {
    nock(ORIGIN)
      .get(`/v25.0/${NUMBER_ID}`)
      .query(true)
      .reply(200, { id: NUMBER_ID, display_phone_number: "+1 555-777-0100", verified_name: "Corner Bakery" });

    expect(await graphAt().phoneNumber({ phoneNumberId: NUMBER_ID, accessToken: TOKEN })).toEqual({
      displayPhoneNumber: "+1 555-777-0100",
      verifiedName: "Corner Bakery",
      qualityRating: null,
      throughputLevel: null,
      isOnBusinessApp: null,
    });
  });

  it.each<[string, number, nock.Body]>([
    ["a 503 with HTML", 503, "<html>"],
    ["a 200 with garbage", 200, "<html>"],
    ["a 302", 302, ""],
  ])("says to try again after %s", async (_what, status, body) => {
    nock(ORIGIN).get(`/v25.0/${NUMBER_ID}`).query(true).reply(status, body);

    await expect(graphAt().phoneNumber({ phoneNumberId: NUMBER_ID, accessToken: TOKEN })).rejects.toThrow(
      expect.objectContaining({ code: "GRAPH_UNREACHABLE", retry: "backoff" }),
    );
  });
});

describe("listing an account's numbers", () => {
  const page = (after: string | undefined, answer: object) =>
    nock(ORIGIN)
      .get(`/v25.0/${WABA_ID}/phone_numbers`)
      .query((query) => query.after === after)
      .reply(200, answer);
  const list = () => graphAt().numbersOf({ wabaId: WABA_ID, accessToken: TOKEN });

  it("follows its pages to the end, skipping what is no number", async () => {
    const next = `${ORIGIN}/next`;
    page(undefined, { data: [{ id: "11111" }, null, {}], paging: { cursors: { after: "QVFI1" }, next } });
    page("QVFI1", { data: [{ id: "22222" }], paging: { cursors: { after: "QVFI2" }, next } });
    page("QVFI2", { data: [{ id: "33333" }], paging: { cursors: { after: "QVFI3" } } });

    expect(await list()).toEqual(["11111", "22222", "33333"]);
  });

  it("ends where Meta gives the same cursor again", async () => {
    const again = { data: [{ id: "11111" }], paging: { cursors: { after: "QVFI1" }, next: `${ORIGIN}/next` } };
    page(undefined, again);
    page("QVFI1", again);

    expect(new Set(await list())).toEqual(new Set(["11111"]));
  });
});
