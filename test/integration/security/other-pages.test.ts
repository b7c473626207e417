/** T23: no other page's request changes anything of whoever is signed in here, and nobody else's is turned away. */
import express from "express";
import supertest from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../../plugin/http/route-table.ts";
import { NUMBER, startChannel, TENANT, type TestChannel } from "../../support/channel.ts";
import { APP_URL } from "../../support/connecting.ts";

let channel: TestChannel;
beforeAll(async () => {
  channel = await startChannel({
    config: { appUrl: APP_URL },
    plugin: {
      // The cookie that a browser brings along, whoever has made it send the request.
      authenticate: ({ headers }: { headers: Record<string, string | undefined> }) =>
        headers.cookie === "session=1" || headers.authorization === "Bearer key"
          ? { customerConfigId: TENANT, permissions: ["connect", "operate"] }
          : null,
    },
  });
});
afterAll(() => channel.stop());

const CHANGING = ROUTES.filter(({ auth, method }) => auth === "tenant" && method !== "GET").map(({ method, path }) => ({
  method,
  path: path.replace(/:\w+/, "00000000-0000-4000-8000-00000000000a"),
}));
const BODY = JSON.stringify({ phone_number_id: NUMBER.phoneNumberId });

type Answer = { readonly status: number; readonly error: { readonly code: string; readonly message: string } };
const post = (path: string, headers: Record<string, string>, body: string | Blob | null = null, method = "POST") =>
  fetch(`${channel.url}${path}`, { method, headers: { cookie: "session=1", ...headers }, body }).then(
    async (answer) => ({ status: answer.status, ...((await answer.json()) as object) }) as Answer,
  );

async function isConnected(): Promise<boolean> {
  return (await channel.plugin.connections(TENANT))[0]?.state === "connected";
}

describe("a page of another address", () => {
  it.each(CHANGING)("may not send $method $path, whatever it calls itself", async ({ method, path }) => {
    const elsewhere = { "content-type": "application/json", origin: "https://evil.example" };
    for (const site of ["cross-site", "same-site"])
      expect(await post(path, { ...elsewhere, "sec-fetch-site": site }, BODY, method)).toMatchObject({
        status: 403,
        error: { code: "NOT_AUTHENTICATED" },
      });
  });

  it.each(CHANGING)("may not send $method $path in a browser that says nothing", async ({ method, path }) => {
    const isUpload = path === "/media/upload";
    const refused = isUpload ? "multipart/form-data" : "content-type: application/json";
    for (const type of ["text/plain", "application/x-www-form-urlencoded"])
      expect(await post(path, { "content-type": type }, BODY, method)).toMatchObject({
        status: 400,
        error: { code: "REQUEST_INVALID", message: expect.stringContaining(refused) },
      });
    // A blob of no type is sent without any, and without a question.
    expect(await post(path, {}, new Blob([BODY]), method)).toMatchObject({ status: 400 });
    if (method === "POST") expect(await post(path, {})).toMatchObject({ status: 400 });
    expect(await isConnected()).toBe(true);
  });

  it("may not send a form with a file, also in an old browser", async () => {
    const file = "--x\r\ncontent-disposition: form-data; name=file; filename=a.txt\r\n\r\nhello\r\n--x--\r\n";
    const headers = { "content-type": "multipart/form-data; boundary=x" };

    expect(await post("/media/upload", { ...headers, origin: "https://evil.example" }, file)).toMatchObject({
      status: 403,
    });
    expect(await post("/media/upload", { ...headers, origin: new URL(channel.url).origin }, file)).toMatchObject({
      status: 201,
    });
  });

  it("may not send a form that the host's parser has read", async () => {
    const app = express();
    app.use(express.urlencoded({ extended: true }), express.text());
    app.use(channel.plugin.router);
    const answer = await supertest(app)
      .post("/disconnect")
      .set("cookie", "session=1")
      .type("form")
      .send({ phone_number_id: NUMBER.phoneNumberId });

    expect([answer.status, await isConnected()]).toEqual([400, true]);
  });
});

describe("what is no other page", () => {
  it("is told first that it may not, where it may not", async () => {
    expect(await post("/disconnect", { cookie: "", "content-type": "text/plain" }, BODY)).toMatchObject({
      status: 403,
    });
  });

  it.each([
    ["our own page", { "content-type": "application/json", "sec-fetch-site": "same-origin" }, "{}"],
    ["our own page, without a word", { "sec-fetch-site": "same-origin" }, null],
    ["the host's page", { "content-type": "application/json", "sec-fetch-site": "same-site", origin: APP_URL }, "{}"],
    ["a program", { "content-type": "application/json" }, "{}"],
    ["a program with a token and no body", { authorization: "Bearer key", cookie: "" }, null],
  ] as const)("is let in: %s", async (_what, headers, body) => {
    expect(await post("/templates/sync", headers, body)).toMatchObject({ status: 200 });
    expect(await post("/dead-letters/redrive", headers, body)).toMatchObject({ status: 200 });
    expect(await post("/webhooks/7/replay", headers, body)).toMatchObject({ error: { code: "WEBHOOK_UNKNOWN" } });
    expect(await post("/oauth/onboarding", headers, body)).toMatchObject({
      error: { code: body === null ? "REQUEST_INVALID" : "ONBOARDING_MISSING" },
    });
  });
});
