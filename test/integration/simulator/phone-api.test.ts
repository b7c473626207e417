/** The phone's own API: what it shows and does, and who is not answered. */
import http from "node:http";
import type { Simulator } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import {
  ADA,
  by,
  call,
  NUMBER,
  payloads,
  send,
  startHost,
  startSimulator,
  statuses,
  textTo,
  wamidOf,
} from "./simulated.ts";

type Answered = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: string };

/** With any header at all, which fetch would not let us. */
function ask(meta: Simulator, path: string, { method = "GET", headers = {}, body = "" } = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${meta.url}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function act(meta: Simulator, action: string, body: object): Promise<Record<string, string>> {
  const headers = { "content-type": "application/json" };
  const { status, body: text } = await ask(meta, `/_phone/${action}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  expect({ status, text }).toMatchObject({ status: 200 });
  return JSON.parse(text);
}

describe("the phone's API", () => {
  it("adds people, lets them write, and shows the chat with what was answered", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const number = NUMBER.phoneNumberId;

    const { person } = await act(meta, "people", {
      name: "Bo",
      phoneNumber: "+44 7700 900124",
      username: "bo",
      hidesPhoneNumber: true,
    });
    const { wamid } = await act(meta, "messages", { person, number, text: "hello" });
    await meta.idle();
    const { body } = await send(meta, { ...textTo("447700900124", "Hi *Bo*"), context: { message_id: wamid } });
    await act(meta, "messages", {
      person,
      number,
      message: { type: "location", location: { latitude: 1, longitude: 2 } },
    });
    const state = JSON.parse((await ask(meta, `/_phone/state?person=${person}&number=${number}`)).body);

    expect(payloads(host)[0]?.entry[0]?.changes[0]?.value.messages?.[0]).toMatchObject({
      id: wamid,
      text: { body: "hello" },
    });
    expect(payloads(host)[0]?.entry[0]?.changes[0]?.value.messages?.[0]).not.toHaveProperty("from");
    expect(state.people).toEqual([
      expect.objectContaining({ name: "Bo", phoneNumber: "447700900124", username: "bo" }),
    ]);
    expect(state.chats).toMatchObject([{ person, number, last: { type: "location" } }]);
    expect(state.chat.entries).toMatchObject([
      { direction: "inbound", text: "hello", message: { type: "text" } },
      { direction: "outbound", wamid: wamidOf({ body }), replyTo: wamid, message: { text: { body: "Hi *Bo*" } } },
      { type: "location" },
    ]);
  });

  it("keeps a file that somebody sends, and never lets a browser run one", async () => {
    const meta = await startSimulator();
    meta.person(ADA);
    const about = new URLSearchParams({
      person: "person-1",
      number: NUMBER.phoneNumberId,
      kind: "document",
      filename: "a.html",
    });
    const headers = { "content-type": "text/html" };

    const sent = await ask(meta, `/_phone/files?${about}`, {
      method: "POST",
      headers,
      body: "<script>alert(1)</script>",
    });
    const state = JSON.parse((await ask(meta, `/_phone/state?person=person-1&number=${NUMBER.phoneNumberId}`)).body);
    const [id] = Object.keys(state.chat.entries[0].files);
    const file = await ask(meta, `/_phone/files?id=${id}`);

    expect(sent.status).toBe(200);
    expect(state.chat.entries[0].message.document).toMatchObject({ filename: "a.html", mime_type: "text/html" });
    expect(file.body).toBe("<script>alert(1)</script>");
    expect(file.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": "attachment",
      "x-content-type-options": "nosniff",
    });
  });

  it("tells a page when something has changed", async () => {
    const meta = await startSimulator();
    const response = await fetch(`${meta.url}/_phone/events`);
    const reader = response.body?.getReader();
    const next = async () => new TextDecoder().decode((await reader?.read())?.value);

    expect(await next()).toBe("data: hello\n\n");
    meta.person(ADA).says("hello");
    expect(await next()).toBe("data: changed\n\n");
    await reader?.cancel();
  });

  it("answers nobody but this machine and its own page", async () => {
    const meta = await startSimulator();
    const { host } = new URL(meta.url);
    const post = (headers: Record<string, string>, body = "{}") =>
      ask(meta, "/_phone/clock", { method: "POST", headers: { "content-type": "application/json", ...headers }, body });

    for (const path of ["/phone", "/phone/page.js", "/_phone/state", "/_phone/events", "/_phone/files?id=1"])
      expect((await ask(meta, path, { headers: { host: "rebound.example" } })).status, path).toBe(403);
    expect((await post({ host: "127.0.0.1.evil.example" })).status).toBe(403);
    expect((await post({ origin: "https://evil.example" })).status).toBe(403);
    expect((await post({ origin: "null" })).status).toBe(403);
    expect((await post({ origin: "http://127.0.0.1:1" })).status).toBe(403);
    expect(
      (await ask(meta, "/_phone/state", { headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" } }))
        .status,
    ).toBe(403);
    expect((await ask(meta, "/_phone/state", { headers: { "sec-fetch-site": "same-site" } })).status).toBe(403);
    expect((await post({ "content-type": "text/plain" }, '{"moveOnMs":1}')).status).toBe(415);
    expect(meta.clock.aheadMs).toBe(0);

    expect((await post({ origin: `http://${host}` }, '{"moveOnMs":1}')).status).toBe(200);
    expect((await ask(meta, "/_phone/state", { headers: { host: "localhost:1" } })).status).toBe(200);
    expect(meta.clock.aheadMs).toBe(1);
  });

  it("serves its page with nothing from elsewhere, and no other file", async () => {
    const meta = await startSimulator();
    const page = await ask(meta, "/phone");

    expect(page.headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'");
    expect(page.body).not.toMatch(/<script(?! type="module" src="\/phone\/)|style=| on\w+=/);
    expect((await ask(meta, "/phone/page.js")).headers["content-type"]).toBe("text/javascript; charset=utf-8");
    for (const path of [
      "/phone/nothing.js",
      "/phone/..%2findex.js",
      "/phone/tsconfig.json",
      "/phone/../desk/create-desk.ts",
    ])
      expect((await ask(meta, path)).status, path).toBeGreaterThanOrEqual(400);
  });

  it.each([
    ["messages", { person: "person-9", number: NUMBER.phoneNumberId, text: "a" }, /no such person/],
    ["messages", { person: "person-1", number: "1", text: "a" }, /no such number/],
    ["messages", { person: "person-1", number: NUMBER.phoneNumberId }, /`text` is missing/],
    ["messages", { person: "person-1", number: NUMBER.phoneNumberId, message: [] }, /a message of Meta's shape/],
    [
      "press",
      { person: "person-1", number: NUMBER.phoneNumberId, wamid: "w", kind: "button", id: "x" },
      /no such message in this chat/,
    ],
    ["clock", { moveOnMs: -1 }, /number of milliseconds/],
    ["clock", { moveOnMs: 400 * 86_400_000 }, /^Meta’s clock goes a year ahead at most\. Start the simulator again/],
    ["faults", { preset: "__proto__" }, /no such preset/],
    ["staff", { person: "person-1", number: NUMBER.phoneNumberId, text: "a" }, /not on the WhatsApp Business app/],
    ["people", { name: "Bo", phoneNumber: "no number" }, /phone number has digits/],
    ["people", { name: "Bo", phoneNumber: "+44 7700 900123" }, /is Ada Q.’s already/],
    ["people", { name: "Bo", hidesPhoneNumber: true }, /give one/],
    ["marketing", { person: "person-1", number: NUMBER.phoneNumberId }, /true or false/],
    ["edit", { person: "person-1", number: NUMBER.phoneNumberId, wamid: "w", text: "a" }, /no such message/],
    ["delete", { person: "person-1", number: NUMBER.phoneNumberId, wamid: "w" }, /no such message/],
    ["play", { person: "person-1", number: NUMBER.phoneNumberId, wamid: "w" }, /no such message/],
  ])("says what is wrong with %s %j", async (action, body, message) => {
    const meta = await startSimulator();
    meta.person(ADA);
    const headers = { "content-type": "application/json" };

    const answer = await ask(meta, `/_phone/${action}`, { method: "POST", headers, body: JSON.stringify(body) });

    expect([400, 422]).toContain(answer.status);
    expect(JSON.parse(answer.body).error).toMatch(message);
    expect(meta.clock.aheadMs).toBe(0);
  });
});

describe("the phone's API, of a chat", () => {
  it("presses, changes and deletes nothing of another chat, and nothing that the business wrote", async () => {
    const meta = await startSimulator();
    const ada = meta.person(ADA);
    const bo = meta.person({ name: "Bo" });
    const number = NUMBER.phoneNumberId;
    const [own, others] = [ada.says("hello"), bo.says("hello")];
    const button = { type: "reply", reply: { id: "yes", title: "Yes" } };
    const asked = wamidOf(
      await send(meta, {
        ...textTo(ADA.phoneNumber, ""),
        type: "interactive",
        interactive: { type: "button", body: { text: "?" }, action: { buttons: [button] } },
      }),
    );
    const refused = async (action: string, body: object) => {
      const headers = { "content-type": "application/json" };
      return (await ask(meta, `/_phone/${action}`, { method: "POST", headers, body: JSON.stringify(body) })).status;
    };
    const press = { number, wamid: asked, kind: "button", id: "yes" };

    expect(await refused("press", { ...press, person: "person-2" })).toBe(400);
    expect(await refused("edit", { person: "person-1", number, wamid: others, text: "mine" })).toBe(400);
    expect(await refused("delete", { person: "person-1", number, wamid: asked })).toBe(400);
    expect(await refused("press", { ...press, id: "no", person: "person-1" })).toBe(400);
    expect(await refused("play", { person: "person-1", number, wamid: asked })).toBe(422);
    await act(meta, "press", { ...press, person: "person-1" });
    await act(meta, "edit", { person: "person-1", number, wamid: own, text: "hallo" });
  });

  it("lets the tokens of one number die and live again, whoever gave them out, and shows what was refused", async () => {
    const other = { ...NUMBER, phoneNumberId: "301777000333666", wabaId: "201555000111666" };
    const meta = await startSimulator({ numbers: [NUMBER, other] });
    const issued = meta.issueToken({ wabaIds: [NUMBER.wabaId] });
    const elsewhere = meta.issueToken({ wabaIds: [other.wabaId] });
    const codes = async (number = NUMBER.phoneNumberId, tokens = [issued]) => {
      const answers = await Promise.all(tokens.map((token) => call(meta, number, by(token))));
      return answers.map(({ body }) => body.error?.error_subcode ?? "lives");
    };
    const presets = async (number: string) => {
      const { faults, refusals } = JSON.parse((await ask(meta, `/_phone/state?person=x&number=${number}`)).body);
      const on = faults.presets.filter(({ isOn }: { isOn: boolean }) => isOn).map(({ id }: { id: string }) => id);
      return { on, refusals };
    };

    await act(meta, "faults", { preset: "token-expired", number: NUMBER.phoneNumberId });
    expect(await codes()).toEqual([463]);
    expect(await codes(other.phoneNumberId, [elsewhere])).toEqual(["lives"]);
    expect(await presets(NUMBER.phoneNumberId)).toEqual({
      on: ["token-expired"],
      refusals: [
        expect.objectContaining({ request: `GET /${NUMBER.phoneNumberId}`, code: 190, subcode: 463, httpStatus: 401 }),
      ],
    });
    expect((await presets(other.phoneNumberId)).on).toEqual([]);
    await act(meta, "faults", { preset: "token-revoked", number: NUMBER.phoneNumberId });
    expect(await codes()).toEqual([460]);
    expect((await presets(NUMBER.phoneNumberId)).on).toEqual(["token-revoked"]);
    // Connected again: the new token lives, and so the number is well.
    const renewed = meta.issueToken({ wabaIds: [NUMBER.wabaId] });
    expect(await codes(NUMBER.phoneNumberId, [issued, renewed])).toEqual([460, "lives"]);
    expect((await presets(NUMBER.phoneNumberId)).on).toEqual([]);
    await act(meta, "faults/clear", {});
    expect(await codes()).toEqual(["lives"]);
    expect(meta.refusals).toHaveLength(3);
    // Equal ones are one; and the root, where our doctor reads the time, is refused as Meta does and not told.
    await fetch(new URL("/", meta.url));
    expect((await presets(NUMBER.phoneNumberId)).refusals).toMatchObject([
      { subcode: 460, times: 2 },
      { subcode: 463, times: 1 },
    ]);
    meta.clearLedgers();
    expect(meta.refusals).toEqual([]);
  });

  it("does not bring back what has died by itself, and leaves other apps alone", async () => {
    const meta = await startSimulator();
    const number = NUMBER.phoneNumberId;
    const expired = meta.issueToken({ wabaIds: [NUMBER.wabaId], expiresInSeconds: 60 });
    const revoked = meta.issueToken({ wabaIds: [NUMBER.wabaId] });
    const others = meta.issueToken({ wabaIds: [NUMBER.wabaId], appId: "999" });
    const fates = async () => {
      const answers = [expired, revoked, others].map((token) => call(meta, number, { token, proof: null }));
      return (await Promise.all(answers)).map(({ body }) => body.error?.error_subcode ?? "lives");
    };
    meta.clock.moveOn(61_000);
    meta.revokeToken({ accessToken: revoked, subcode: 458 });
    expect(await fates()).toEqual([463, 458, "lives"]);

    await act(meta, "faults", { preset: "token-revoked", number });
    expect((await call(meta, number)).body.error).toMatchObject({ code: 190, error_subcode: 460 });
    expect(await fates()).toEqual([463, 458, "lives"]);
    await act(meta, "faults/take-back", { id: "token-revoked", number });

    expect(await fates()).toEqual([463, 458, "lives"]);
    expect((await call(meta, number)).status).toBe(200);
  });

  it("switches offers off and on", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    meta.person(ADA).says("hello");
    const chat = { person: "person-1", number: NUMBER.phoneNumberId };
    const isStopped = async () =>
      JSON.parse((await ask(meta, `/_phone/state?${new URLSearchParams(chat)}`)).body).chat.hasStoppedMarketing;

    await act(meta, "marketing", { ...chat, isStopped: true });
    expect(await isStopped()).toBe(true);
    await act(meta, "marketing", { ...chat, isStopped: false });
    await meta.idle();

    expect(await isStopped()).toBe(false);
    expect(
      host.received.map(({ bytes }) => /"value":"(stop|resume)"/.exec(String(bytes))?.[1]).filter(Boolean),
    ).toEqual(["stop", "resume"]);
  });
});

describe("what Meta does later", () => {
  it("takes a message and fails it, when a fault says so", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    ada.says("hello");
    meta.faults.next({ do: { failed: { code: 131026 } } });

    expect((await send(meta, textTo(ADA.phoneNumber, "lost"))).status).toBe(200);
    await meta.idle();

    expect(statuses(host)).toMatchObject([{ status: "failed", errors: [{ code: 131026 }] }]);
    expect(ada.transcript().at(-1)).toMatchObject({ status: "failed", error: { code: 131026 } });
  });

  it("tells edits, deletions and what the staff writes to a number that is on the app as well", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, numbers: [{ ...NUMBER, isOnBusinessApp: true }] });
    const ada = meta.person(ADA);

    const wamid = ada.says("helo");
    ada.edits(wamid, "hello");
    ada.deletes(wamid);
    const echo = meta.staffWrites(ada, "I take over");
    await meta.idle();

    const values = payloads(host).map(({ entry }) => entry[0]?.changes[0]?.value as Record<string, readonly object[]>);
    expect(values.slice(1, 3).map((value) => value.messages?.[0])).toMatchObject([
      { type: "edit", edit: { original_message_id: wamid, message: { text: { body: "hello" } } } },
      { type: "revoke", revoke: { original_message_id: wamid } },
    ]);
    expect(values[3]?.message_echoes).toMatchObject([
      { from: "15557770100", to: ADA.phoneNumber, to_user_id: ADA.userId, id: echo, text: { body: "I take over" } },
    ]);
  });

  it("moves its clock on, and statuses come late, when asked to", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    ada.says("hello");
    await meta.idle();
    meta.faults.webhooks({ delayStatusesMs: 1_500 });
    await send(meta, textTo(ADA.phoneNumber, "soon"));
    await meta.waitFor(() => meta.deliveries.filter(({ kind }) => kind === "status").length === 3);
    expect(statuses(host)).toEqual([]);
    await meta.idle();
    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);

    meta.clock.moveOn(24 * 60 * 60 * 1000);
    await send(meta, textTo(ADA.phoneNumber, "too late"));
    await meta.idle();

    expect(ada.transcript().at(-1)).toMatchObject({ status: "failed", error: { code: 131047 } });
    expect(() => meta.clock.moveOn(-1)).toThrow("never back");
  });
});
