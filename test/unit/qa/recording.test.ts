/** Stored traffic becomes a recording: whose it is, when it was, what was answered together, and how it lies on the disk. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoredTraffic } from "@omniops/whatsapp";
import type { WireObject } from "@omniops/whatsapp/simulator";
import { makeRecording, readFixtures, readManifest, writeRecording } from "@omniops/whatsapp/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { diffConversation } from "../../../qa/diff.ts";
import { rewriteSends } from "../../../qa/fixtures.ts";
import { leaksIn, originalsOf } from "../../../qa/make-recording.ts";
import type { TextMode } from "../../../qa/scrub.ts";

const ADA = "447700900123";
const BOB = "420777900456";
const STARTED = new Date("2026-11-27T08:00:00Z");

type Written = { readonly from: string; readonly id: string; readonly body: string };

const message = ({ from, id, body }: Written) => ({ from, id, timestamp: "1795766400", type: "text", text: { body } });
const value = (more: object) => ({
  metadata: { display_phone_number: "1", phone_number_id: "301777000333444" },
  ...more,
});
const webhook = (change: object) => ({
  object: "whatsapp_business_account",
  entry: [{ id: "201555000111222", changes: [{ field: "messages", value: change }] }],
});

function traffic(deliveries: readonly object[], more: Partial<StoredTraffic> = {}): StoredTraffic {
  return {
    deliveries: deliveries.map((json, at) => ({
      webhookId: String(at + 1),
      receivedAt: new Date(STARTED.getTime() + at * 1500),
      type: "message",
      body: Buffer.from(JSON.stringify(json)),
    })),
    turns: [],
    numbers: [{ phoneNumberId: "301777000333444", wabaId: "201555000111222", displayPhoneNumber: "15557770100" }],
    templates: [],
    people: [{ name: "Adalberta Quill", username: null, phoneNumber: ADA, userId: null }],
    addresses: [],
    skipped: 0,
    more: false,
    ...more,
  };
}

const OPTIONS = { salt: "a salt", text: "keep", startsAt: new Date("2026-01-01T00:00:00Z"), version: "0" } as const;
const made = (deliveries: readonly object[], more: Partial<StoredTraffic> = {}, options = {}) =>
  makeRecording(traffic(deliveries, more), { ...OPTIONS, ...options });
const bodies = ({ recording }: ReturnType<typeof makeRecording>) =>
  recording.fixtures.map(({ bytes }) =>
    [
      ...Buffer.from(bytes)
        .toString()
        .matchAll(/"body":"([^"]*)"/g),
    ].map(([, body]) => body),
  );
const told = (body: string, from = ADA, id = `wamid.${body}`) =>
  webhook(value({ messages: [message({ from, id, body })] }));

describe("a recording of one person", () => {
  it("keeps of a delivery of several people only what is theirs, and of a history too", () => {
    const shared = value({
      contacts: [{ wa_id: ADA }, { wa_id: BOB }],
      messages: [
        message({ from: ADA, id: "wamid.1", body: "mine" }),
        message({ from: BOB, id: "wamid.2", body: "his" }),
      ],
      errors: [],
    });
    const history = value({
      history: [
        {
          threads: [
            { id: ADA, messages: [message({ from: ADA, id: "wamid.3", body: "old" })] },
            { id: BOB, messages: [message({ from: BOB, id: "wamid.4", body: "older" })] },
          ],
        },
      ],
    });

    const recorded = made([webhook(shared), webhook(history), told("else", BOB)], { addresses: [ADA] });

    expect(bodies(recorded)).toEqual([["mine"], ["old"]]);
    expect(recorded.dropped).toBe(1);
    expect(recorded.leaks).toEqual([]);
    expect(bodies(made([webhook(shared)]))).toEqual([["mine", "his"]]);
  });
});

describe("a recording", () => {
  const turn = (messageIds: readonly string[], body: string) => ({
    turnId: body,
    phoneNumberId: "301777000333444",
    phoneNumber: ADA,
    userId: null,
    messageIds,
    sends: [{ endpoint: "messages" as const, message: { type: "text", text: { body } }, messageId: `wamid.${body}` }],
  });

  it("knows the pauses, what was answered together, and puts the answer after the last of it", () => {
    const turns = [turn(["wamid.a", "wamid.b"], "both"), turn(["wamid.c"], "one")];
    const { recording, leaks } = made([told("a"), told("b"), told("c")], { turns });

    expect(leaks).toEqual([]);
    expect(recording.manifest.deliveries.map(({ name, atMs, turn }) => [name, atMs, turn])).toEqual([
      ["0001-message", 0, 0],
      ["0002-message", 1500, 0],
      ["0003-message", 3000, 1],
    ]);
    expect(recording.fixtures.map(({ sends }) => sends?.map(({ message }) => message.text))).toEqual([
      [],
      [{ body: "both" }],
      [{ body: "one" }],
    ]);
  });

  it("promises each answer to the number that was written from, whatever number they have today", () => {
    const [before, after] = ["447700900123", "447700900888"];
    const turns = [turn(["wamid.a"], "one"), turn(["wamid.b"], "two"), turn(["wamid.gone", "wamid.c"], "three")].map(
      (one) => ({ ...one, phoneNumber: after, userId: "GB.new" }),
    );
    const nameless = webhook(
      value({ messages: [{ ...message({ from: "", id: "wamid.b", body: "b" }), from_user_id: "GB.old" }] }),
    );
    const { recording } = made([told("a", before), nameless, told("c", after)], { turns });

    const writtenBy = ({ bytes }: { readonly bytes: Uint8Array }) => {
      const [, from] = /"from(?:_user_id)?":"([^"]+)"/.exec(Buffer.from(bytes).toString()) ?? [];
      return from;
    };
    const promised = recording.fixtures.map(({ sends }) => sends?.[0]?.to);
    expect(promised).toEqual(recording.fixtures.map(writtenBy));
    expect(new Set(promised).size).toBe(3);
  });

  it("promises an answer to the number of today where nothing is stored of what it answers", () => {
    const turns = [turn(["wamid.a"], "one")];
    const { recording } = made([webhook(value({ messages: [{ id: "wamid.a", type: "text" }] })), told("b")], { turns });

    const [{ from }] = JSON.parse(Buffer.from(recording.fixtures[1]!.bytes).toString()).entry[0].changes[0].value
      .messages;
    expect(recording.fixtures[0]?.sends?.[0]?.to).toBe(from);
  });

  it("posts together what came in one delivery and was answered together, of everybody in it", () => {
    const of = (from: string, id: string) => message({ from, id, body: "x" });
    const deliveries = [
      webhook(value({ messages: [of(ADA, "wamid.a"), of(BOB, "wamid.b")] })),
      webhook(value({ messages: [of(BOB, "wamid.c")] })),
      webhook(value({ messages: [of(ADA, "wamid.d")] })),
    ];
    const turns = [
      turn(["wamid.a"], "to Ada"),
      { ...turn(["wamid.b", "wamid.c"], "to Bob"), phoneNumber: BOB },
      turn(["wamid.d"], "to Ada again"),
    ];

    const { recording } = made(deliveries, { turns });

    expect(recording.manifest.deliveries.map((delivery) => delivery.turn)).toEqual([0, 0, 2]);
  });

  it("takes Meta's words in a template, and its name, for nobody's, whatever people are called", () => {
    const templates = [
      {
        wabaId: "201555000111222",
        name: "spring_menu",
        language: "en",
        category: "MARKETING",
        status: "APPROVED",
        parameterFormat: "NAMED",
        components: [
          { type: "HEADER", format: "IMAGE" },
          { type: "BODY", text: "Ada, hi" },
        ],
      },
    ];
    const people = ["Acme Marketing", "The Body Shop", "Image Studio", "Spring Ada"].map((name, at) => ({
      name,
      username: null,
      phoneNumber: `44770090010${at}`,
      userId: null,
    }));

    const { recording, leaks } = made([told("a")], { templates, people });

    expect(leaks).toEqual([]);
    expect(recording.manifest.templates).toMatchObject([
      { name: "spring_menu", category: "MARKETING", components: [{ format: "IMAGE" }, { type: "BODY" }] },
    ]);
    expect(JSON.stringify(recording.manifest.templates)).not.toContain("Ada");
  });

  it("holds the host's own words after an update, and still nobody", () => {
    const { recording } = made([told("umbrella")], { turns: [turn(["wamid.umbrella"], "both")] }, { text: "shape" });
    const updated = (body: string, promised: "recorded" | "replayed") => ({
      manifest: { ...recording.manifest, promised },
      fixtures: recording.fixtures.map((one) => ({
        ...one,
        sends: one.sends?.map((send) => ({ ...send, message: { type: "text", text: { body } } })) ?? null,
      })),
    });
    const found = (body: string, promised: "recorded" | "replayed" = "replayed") =>
      leaksIn(updated(body, promised), originalsOf(traffic([told("umbrella")]))).map(({ what }) => what);

    expect(found("your umbrella")).toEqual([]);
    expect(found("your umbrella", "recorded")).toEqual(["a word of a text"]);
    expect(found("your umbrella, Adalberta")).toEqual(["a name"]);
  });

  it("is replayed in its order, however many deliveries there are", () => {
    const names = made(Array.from({ length: 10_000 }, () => ({}))).recording.fixtures.map(({ name }) => name);

    expect(names.toSorted()).toEqual(names);
  });

  it("begins on the day that it is told, or keeps its times", () => {
    const times = (startsAt: Date | null) =>
      Buffer.from(made([told("a")], {}, { startsAt }).recording.fixtures[0]!.bytes)
        .toString()
        .match(/"timestamp":"(\d+)"/)![1];

    expect(times(null)).toBe("1795766400");
    expect(times(OPTIONS.startsAt)).toBe(
      String(1_795_766_400 - (STARTED.getTime() - OPTIONS.startsAt.getTime()) / 1000),
    );
  });

  it("holds nobody, be it in a template, in the number's name, or somebody who is known from elsewhere", () => {
    const templates = [
      { wabaId: "201555000111222", name: "hi", language: "en", components: [{ type: "BODY", text: "Adalberta, hi" }] },
    ] as unknown as StoredTraffic["templates"];
    const known = traffic([webhook(value({ contacts: [{ profile: { name: "Bohumil" }, wa_id: BOB }] }))]);

    const { recording, leaks } = made([told("ask Bohumil")], { templates }, { known });

    expect(leaks).toEqual([]);
    const all = JSON.stringify(recording.manifest) + bodies({ recording, leaks, dropped: 0 });
    expect(all).not.toMatch(/Adalberta|Bohumil|15557770100|301777000333444/);
    expect(recording.manifest.templates).toMatchObject([
      { name: "hi", components: [{ text: expect.stringMatching(/, hi$/) }] },
    ]);
  });

  it("is searched for people also where somebody has broken it", () => {
    const { recording } = made([told("a")]);
    const broken = { ...recording, fixtures: [{ ...recording.fixtures[0]!, bytes: Buffer.from("{ Adalberta") }] };

    expect(leaksIn(broken, originalsOf(traffic([told("a")])))).toEqual([
      { file: "0001-message.request.json", path: "", what: "a name" },
    ]);
  });

  it("takes the letters of an id that was answered for nobody's name, and the number in one for somebody's", () => {
    const people = [{ name: "Li Ode", username: null, phoneNumber: ADA, userId: null }];
    const recorded = made([told("a")], { people, turns: [turn(["wamid.a"], "one")] });
    const answered = (answers: readonly string[]) =>
      leaksIn(
        {
          ...recorded.recording,
          fixtures: recorded.recording.fixtures.map((one) => ({
            ...one,
            sends: one.sends?.map((send) => ({ ...send, answers })) ?? null,
          })),
        },
        originalsOf(traffic([told("a")], { people })),
      ).map(({ path, what }) => [path, what]);

    expect(answered(["wamid.HBgMTA0NzcwMDkwMDA3NzU1/Ode+Li/FQIAEhggRkY="])).toEqual([]);
    expect(answered([`wamid.${Buffer.from(ADA).toString("base64")}`])).toEqual([["[0].answers[0]", "a number"]]);
  });

  it("tells how far it is, to the end", () => {
    const steps: (readonly [number, number])[] = [];
    const all = traffic([told("a"), told("b"), told("c")], {
      turns: [turn(["wamid.a"], "one"), turn(["wamid.b"], "two")],
    });

    makeRecording(all, { ...OPTIONS, onProgress: (done, of) => steps.push([done, of]) });

    expect(steps.map(([done]) => done)).toEqual(steps.map((_, at) => at + 1));
    expect(steps.filter(([done, of]) => done > of)).toEqual([]);
    expect(steps.at(-1)).toEqual([steps.length, steps.length]);
  });
});

describe("what the business made", () => {
  const messages = [
    {
      type: "interactive",
      interactive: {
        type: "flow",
        body: { text: "b" },
        action: { name: "flow", parameters: { flow_id: "1234567890123456", flow_cta: "Go", flow_token: "abc" } },
      },
    },
    {
      type: "interactive",
      interactive: {
        type: "product",
        body: { text: "b" },
        action: { catalog_id: "194836987003835", product_retailer_id: "4006381333931" },
      },
    },
    ...["track:100045678", "kept:983f538f-3422-451d-8d99-67a411d61bdc", "SK.12345"].map((id) => ({
      type: "interactive",
      interactive: { type: "button", body: { text: "b" }, action: { buttons: [{ type: "reply", reply: { id } }] } },
    })),
  ];
  const recorded = (sends: readonly WireObject[], text: TextMode, body = "a") =>
    made(
      [told(body)],
      {
        turns: [
          {
            turnId: "1",
            phoneNumberId: "301777000333444",
            phoneNumber: ADA,
            userId: null,
            messageIds: [`wamid.${body}`],
            sends: sends.map((message, at) => ({ endpoint: "messages", message, messageId: `wamid.out${at}` })),
          },
        ],
      },
      { text },
    );

  it.each(["keep", "shape", "fixed"] as const)("is the same for a host that has not changed, texts: %s", (text) => {
    const { recording, leaks } = recorded(messages, text);
    const promised = recording.fixtures[0]!.sends!;
    const sent = (message: WireObject) => ({ endpoint: "messages", message, after: "" });
    const rows = diffConversation(
      promised.map(({ message }) => sent(message)),
      messages.map(sent),
      { text, isInOrder: true, names: recording.manifest.names },
    );

    expect(leaks).toEqual([]);
    expect(rows.flatMap(({ kind, changes }) => [kind, ...changes])).toEqual(messages.map(() => "same"));
    expect(JSON.stringify(promised)).toMatch(
      /1234567890123456.*194836987003835.*4006381333931.*track:100045678.*SK\.12/,
    );
  });

  const answer = (body: string) => [{ type: "text", text: { body } }];
  it.each([
    "Write to support@shop.example.com, please",
    "Write to *a.b-c@x.test*: or you@us.example",
    "Track it: https://shop.example/t/983f538f-3422-451d-8d99-67a411d61bdc?a=1",
    "983f538f-3422-451d-8d99-67a411d61bdc",
  ])("is the same though it holds an address or a UUID, in the shape of a text: %s", (body) => {
    const { recording, leaks } = recorded(answer(body), "shape");
    const [promised] = recording.fixtures[0]!.sends!;
    const kinds = (got: string) =>
      diffConversation(
        [{ endpoint: "messages", message: promised!.message, after: "" }],
        [{ endpoint: "messages", message: answer(got)[0]!, after: "" }],
        { text: "shape", isInOrder: true },
      ).map(({ kind }) => kind);

    expect(leaks).toEqual([]);
    expect(JSON.stringify(promised!.message)).not.toMatch(/mail-|983f|shop|us\.example/);
    expect(kinds(body)).toEqual(["same"]);
    expect(kinds(`${body}!`)).toEqual(["changed"]);
    expect(kinds(`- ${body}`)).toEqual(["changed"]);
  });

  it.each([
    ["somebody's number", `call:+${ADA}`, "a"],
    ["somebody's number among other digits", `call:1${ADA}22`, "a"],
    ["a number that somebody has written", "call:07911123456", "ring 07911 123456"],
    ["a short number that somebody has written", "call:0-2345678", "ring 2345678"],
    ["somebody's number in an address", `x?n=%2B${ADA}`, "a"],
    ["somebody's name", "ask-adalberta", "a"],
    ["an address", "mail:ada@quill.example", "a"],
  ])("has nobody in it, such as %s", (_, id, body) => {
    const { recording, leaks } = recorded([{ type: "button", reply: { id } }], "keep", body);
    const [promised] = recording.fixtures[0]!.sends!;

    expect(leaks).toEqual([]);
    expect(JSON.stringify(promised?.message)).not.toContain(id);
  });
});

describe("on the disk", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "omniops-qa-"));
    return () => rm(folder, { recursive: true });
  });
  const { recording } = made(Array.from({ length: 12 }, (_, at) => told(`text ${at}`)));

  it("it is read as it was written: in order, and silence is promised where nothing was sent", async () => {
    await writeRecording(folder, recording);

    const fixtures = await readFixtures(folder);
    expect(fixtures.map(({ name }) => name)).toEqual(recording.fixtures.map(({ name }) => name));
    expect(fixtures.map(({ sends }) => sends)).toEqual(fixtures.map(() => []));
    await rm(join(folder, "recording.json"));
    expect((await readFixtures(folder)).map(({ sends }) => sends)).toEqual(fixtures.map(() => null));
  });

  it("what was sent becomes the promise, letter by letter, and silence removes one", async () => {
    const send = {
      from: "1",
      to: "2",
      endpoint: "messages" as const,
      message: { type: "text" },
      id: null,
      answers: [],
    };
    await writeRecording(folder, recording);
    await writeFile(join(folder, "0001-message.sends.json"), JSON.stringify([{ ...send, id: "wamid.x" }]));
    const manifest = await readManifest(folder);

    await rewriteSends(
      folder,
      new Map([
        ["0001-message", []],
        ["0002-message", [send]],
      ]),
      manifest,
    );

    expect((await readdir(folder)).filter((file) => file.endsWith(".sends.json"))).toEqual(["0002-message.sends.json"]);
    expect(JSON.parse(await readFile(join(folder, "0002-message.sends.json"), "utf8"))).toEqual([send]);
    expect(await readManifest(folder)).toEqual({ ...manifest, promised: "replayed" });
  });
});
