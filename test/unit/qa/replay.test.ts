/** What is compared and how: which differences count, and how deliveries are ordered. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { diffConversation, type Sent } from "../../../qa/diff.ts";
import { differingWords, shortened } from "../../../qa/differing-words.ts";
import type { Fixture, Manifest } from "../../../qa/fixtures.ts";
import { planPosts } from "../../../qa/plan-posts.ts";

const sent = (body: string, more: WireObject = {}): Sent => ({
  endpoint: "messages",
  message: { type: "text", text: { body }, ...more },
  after: "0001-message",
});
const kinds = (promised: readonly Sent[], got: readonly Sent[], options = {}) =>
  diffConversation(promised, got, { text: "keep", isInOrder: true, ...options }).map(({ kind }) => kind);

describe("what was sent beside what was promised", () => {
  it("is the same whatever it is addressed to, in whatever order its members stand", () => {
    const other = {
      endpoint: "messages",
      after: "x",
      message: { to: "1", text: { body: "hi" }, messaging_product: "whatsapp", type: "text" },
    };

    expect(kinds([sent("hi")], [other])).toEqual(["same"]);
  });

  it("tells changed, missing and too many apart, and goes on after them", () => {
    const [a, b, c, d] = ["a", "b", "c", "d"].map((body) => sent(body)) as [Sent, Sent, Sent, Sent];

    expect(kinds([a, b, c], [a, d, c])).toEqual(["same", "changed", "same"]);
    expect(kinds([a, b, c], [a, c])).toEqual(["same", "missing", "same"]);
    expect(kinds([a, c], [a, b, c])).toEqual(["same", "extra", "same"]);
    expect(kinds([a, b], [b, a])).toEqual(["missing", "same", "extra"]);
    expect(kinds([a, b], [b, a], { isInOrder: false })).toEqual(["same", "same"]);
  });

  it("names each place that differs", () => {
    const [row] = diffConversation([sent("*hi*")], [sent("_hi_", { context: { message_id: "wamid.1" } })], {
      text: "keep",
      isInOrder: true,
    });

    expect(row?.changes).toEqual([
      { path: "text.body", promised: "*hi*", got: "_hi_" },
      { path: "context", promised: undefined, got: '{"message_id":"wamid.1"}' },
    ]);
  });

  it("of another type is one difference, and so is another endpoint", () => {
    const buttons = { ...sent(""), message: { type: "interactive", interactive: { body: { text: "hi" } } } };
    const changes = (got: Sent) => diffConversation([sent("hi")], [got], { text: "keep", isInOrder: true })[0]?.changes;

    expect(changes(buttons)).toEqual([{ path: "type", promised: "text", got: "interactive" }]);
    expect(changes({ ...sent("hi"), endpoint: "marketing_messages" })).toEqual([
      { path: "endpoint", promised: "messages", got: "marketing_messages" },
    ]);
  });

  it("leaves out what is new in each run: the file's id and what the sender knows it by", () => {
    const image = (id: string) => sent("", { type: "image", image: { id }, biz_opaque_callback_data: id });

    for (const text of ["keep", "shape", "exact"])
      expect(kinds([image("1")], [image("2")], { text })).toEqual(["same"]);
  });

  it.each(["keep", "shape", "fixed", "exact"] as const)(
    "leaves out how a file got to Meta, which hangs on the network that day, texts: %s",
    (text) => {
      const picture = (file: WireObject, caption = "Our cake") =>
        sent("", { type: "image", image: { ...file, caption }, interactive: { header: { image: file } } });
      const [link, id] = [picture({ link: "https://cdn.example/cake.png" }), picture({ id: "4410004" })];

      expect(kinds([link, link, id], [id, link, link], { text })).toEqual(["same", "same", "same"]);
      expect(kinds([link], [picture({})], { text })).toEqual(["changed"]);
      expect(kinds([link], [picture({ id: "4410004" }, "")], { text })).toEqual(["changed"]);
    },
  );

  it("leaves out the name of a kept file, which is put to it on its way out", () => {
    const nameless = sent("", { type: "document", document: { id: "4410004" } });
    const named = sent("", { type: "document", document: { id: "4410004", filename: "menu.pdf" } });

    for (const text of ["keep", "shape", "fixed"]) expect(kinds([nameless], [named], { text })).toEqual(["same"]);
    expect(kinds([named], [nameless])).toEqual(["changed"]);
    expect(kinds([nameless], [named], { text: "exact" })).toEqual(["changed"]);
  });

  it("in kept texts has any number and address for a person's, and in fixed ones any words", () => {
    const all = (body: string, other: string, text: string) => kinds([sent(body)], [sent(other)], { text });

    expect(all("ring +44 0700 900123 or a@b.test", "ring 07700 900999 or you@us.example", "keep")).toEqual(["same"]);
    expect(all("Text", "whatever", "fixed")).toEqual(["same"]);
    expect(all("Text", "", "fixed")).toEqual(["changed"]);
  });

  it("is compared by its shape where only that is left, and a name that was invented is any name", () => {
    expect(kinds([sent("Xx *Xxxx* 00")], [sent("Hi *Jonathan* 7")], { text: "shape" })).toEqual(["same"]);
    expect(kinds([sent("Xx *Xxxx* 00")], [sent("Hi _John_ 42")], { text: "shape" })).toEqual(["changed"]);
    expect(kinds([sent("Xx *Xxxx* 00")], [sent("Hi *John B* 42")], { text: "shape" })).toEqual(["changed"]);
    expect(kinds([sent("Iris I help you? (a+b)")], [sent("May I help you? (a+b)")], { names: ["Iris"] })).toEqual([
      "same",
    ]);
    expect(kinds([sent("Iris I help you?")], [sent("May I kick you?")], { names: ["Iris"] })).toEqual(["changed"]);
    expect(kinds([sent("서연님, 안녕하세요")], [sent("민준님, 안녕하세요")], { names: ["Iris", "서연"] })).toEqual([
      "same",
    ]);
    expect(kinds([sent("Irises for you")], [sent("Roses for you")], { names: ["Iris", "서연"] })).toEqual(["changed"]);
  });
});

describe("a promise", () => {
  const place = (name: string, latitude: number) => ({
    ...sent("", { type: "location", location: { name, latitude, longitude: 1.5 } }),
  });
  const link = (query: string) => sent(`See https://x.test/?session=${query} until 2026-11-27`);

  it("that was scrubbed is compared without what a stand-in has taken the place of", () => {
    expect(kinds([place("Xxxx xxxx", 15.8)], [place("Demo Shop", 51.5)])).toEqual(["same"]);
    expect(kinds([place("Xxxx xxxx", 15.8)], [place("Demo", 51.5)])).toEqual(["changed"]);
    expect(kinds([link("aaaaaaaaaaaaaa1")], [link("bbbbbbbbbbbbbb2")])).toEqual(["same"]);
    expect(kinds([sent("on 2026-11-27")], [sent("on 2026-11-28")])).toEqual(["changed"]);
  });

  it("that was scrubbed is compared without large amounts and times, which were replaced, and with small ones", () => {
    const offer = (amount: number, until: number) => ({
      ...sent("", {
        type: "template",
        template: {
          components: [
            { parameters: [{ type: "currency", currency: { amount_1000: amount } }] },
            { parameters: [{ limited_time_offer: { expiration_time_ms: until } }] },
          ],
        },
      }),
    });

    expect(kinds([offer(96_068, 1_790_000_000_000)], [offer(25_000, 1_795_000_000_000)])).toEqual(["same"]);
    expect(kinds([offer(5_000, 1_790_000_000_000)], [offer(6_000, 1_790_000_000_000)])).toEqual(["changed"]);
    expect(kinds([offer(96_068, 1)], [offer(25_000, 1)], { text: "exact" })).toEqual(["changed"]);
  });

  it("that was not scrubbed is compared letter by letter, but for what is new in each run", () => {
    const exact = { text: "exact" as const };
    const kept = (uuid: string) => sent(`kept at /media/${uuid}`);

    expect(kinds([place("Demo Shop", 15.8)], [place("Demo Shop", 51.5)], exact)).toEqual(["changed"]);
    expect(kinds([sent("call 07700 900123")], [sent("call 07700 900124")], exact)).toEqual(["changed"]);
    for (const options of [{}, exact, { text: "shape" as const }])
      expect(
        kinds([kept("983f538f-3422-451d-8d99-67a411d61bdc")], [kept("0a3f538f-3422-451d-8d99-67a411d61bdd")], options),
      ).toEqual(["same"]);
  });
});

describe("a long conversation", () => {
  const answers = (count: number, body: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => sent(body(at)));

  it("of thousands of answers is compared, be they all alike or all different", () => {
    for (const body of [() => "Welcome!", (at: number) => `Your number is ${"x".repeat(at % 40)} ${at}`]) {
      const promised = answers(6_000, body);
      const got = promised.with(3_000, sent("something else"));
      const differing = diffConversation(promised, got, { text: "exact", isInOrder: true }).flatMap(({ kind }, at) =>
        kind === "same" ? [] : [[kind, at]],
      );

      expect(differing).toEqual([["changed", 3_000]]);
    }
  });
});

describe("what differs in a text", () => {
  const marked = (one: string, other: string) =>
    differingWords(one, other).map((pieces) =>
      pieces.map(({ text, isSame }) => (isSame ? text : `[${text}]`)).join(""),
    );

  it("is marked word by word and mark by mark, wherever it is", () => {
    expect(marked("Hi *you*, how are you?", "Hi _you_, who are you?")).toEqual([
      "Hi [*]you[*], [how] are you?",
      "Hi [_]you[_], [who] are you?",
    ]);
    expect(marked("a  b", "a b")).toEqual(["a[  ]b", "a[ ]b"]);
    expect(marked("same", "same")).toEqual(["same", "same"]);
    expect(marked("", "new")).toEqual(["", "[new]"]);
  });

  it("is shown with as much of the rest as tells where it is", () => {
    const long = "word ".repeat(40);
    const [one] = differingWords(`${long}*a* ${long}*b* ${long}`, `${long}_a_ ${long}_b_ ${long}`);

    expect(
      shortened(one, 10)
        .map(({ text }) => text)
        .join(""),
    ).toBe("…word word *a* word word…word word *b* word word…");
  });
});

const fixture = (name: string, from: string, value = {}): Fixture => ({
  name,
  bytes: Buffer.from(
    JSON.stringify({
      entry: [
        { changes: [{ value: { metadata: { phone_number_id: "1" }, messages: [{ id: name, from }], ...value } }] },
      ],
    }),
  ),
  sends: [],
  messageIds: null,
});
const manifestOf = (turns: readonly (readonly [string, number | null])[]): Manifest => ({
  format: 1,
  version: "0",
  text: "keep",
  promised: "recorded",
  numbers: [],
  templates: [],
  names: [],
  deliveries: turns.map(([name, turn], at) => ({ name, type: "message", atMs: at * 1000, webhookId: "1", turn })),
});
const PLAIN = { keepsPauses: false, shuffle: null, duplicate: 0, batch: 1 };
const namesOf = (posts: ReturnType<typeof planPosts>) =>
  posts.map(({ fixtures }) => fixtures.map(({ name }) => name).join("+"));

describe("the order of deliveries", () => {
  const fixtures = [fixture("a1", "ada"), fixture("a2", "ada"), fixture("b1", "bob"), fixture("a3", "ada")];
  const manifest = manifestOf([
    ["a1", 0],
    ["a2", 0],
    ["b1", 1],
    ["a3", 2],
  ]);

  it("puts together what was answered together, unless it keeps the pauses", () => {
    expect(namesOf(planPosts(fixtures, manifest, PLAIN))).toEqual(["a1+a2", "b1", "a3"]);
    expect(namesOf(planPosts(fixtures, manifest, { ...PLAIN, keepsPauses: true }))).toEqual(["a1", "a2", "b1", "a3"]);
  });

  it("puts no more into one delivery than Meta does", () => {
    const large = (name: string, from: string) => ({ ...fixture(name, from), bytes: Buffer.alloc(2 * 1024 * 1024) });
    const all = [fixture("a", "ada"), fixture("b", "bob"), large("c", "eve"), fixture("d", "dan")].map((one) => ({
      ...one,
      bytes: Buffer.concat([fixture(one.name, one.name).bytes, Buffer.alloc(one.bytes.length > 9999 ? 4e6 : 0, " ")]),
    }));

    expect(namesOf(planPosts(all, null, { ...PLAIN, batch: 9 }))).toEqual(["a+b", "c", "d"]);
  });

  it("makes batches of those that were answered apart only of several people", () => {
    expect(namesOf(planPosts(fixtures, manifest, { ...PLAIN, batch: 9 }))).toEqual(["a1+a2+b1", "a3"]);
  });

  it("makes no batch of one person's, whether Meta tells their number or only their user id", () => {
    const contacts = [{ wa_id: "447700900123", user_id: "GB.u1" }];
    const told = fixture("a", "447700900123", { contacts });
    const hidden = fixture("b", "", { messages: [{ id: "b", from_user_id: "GB.u1" }] });

    expect(namesOf(planPosts([told, hidden, fixture("c", "bob")], null, { ...PLAIN, batch: 9 }))).toEqual(["a", "b+c"]);
  });

  it("is another one without anybody's messages overtaking their own, also across a change of their number", () => {
    const said = Array.from({ length: 40 }, (_, at) =>
      fixture(`${at % 3}-${String(at).padStart(2, "0")}`, `p${at % 3}`),
    );
    const read = Array.from({ length: 20 }, (_, at) => fixture(`s-${at}`, "", { messages: [], statuses: [{}] }));
    const moved = { messages: [{ id: "m", from: "p2", type: "system", system: { wa_id: "p3" } }] };
    const all = [...said, ...read, fixture("2-99", "", moved), fixture("2-99-a", "p3")];

    const names = namesOf(planPosts(all, null, { ...PLAIN, shuffle: 7 }));
    expect(names.toSorted()).toEqual(all.map(({ name }) => name).toSorted());
    for (const person of ["0", "1", "2"]) {
      const theirs = names.filter((name) => name.startsWith(`${person}-`));
      expect(theirs).toEqual(theirs.toSorted());
    }
    expect(names.map(([first]) => first)).not.toEqual(all.map(({ name: [first] }) => first));
    expect(names.filter((name) => name.startsWith("s-"))).not.toEqual(read.map(({ name }) => name));
  });

  it("posts each again, and in another order that is the same for the same seed", () => {
    const many = Array.from({ length: 20 }, (_, at) => fixture(`f${at}`, `p${at}`));
    const shuffled = (shuffle: number) => namesOf(planPosts(many, null, { ...PLAIN, shuffle }));

    expect(namesOf(planPosts(fixtures, manifest, { ...PLAIN, duplicate: 1 }))).toEqual([
      "a1+a2",
      "a1+a2",
      "b1",
      "b1",
      "a3",
      "a3",
    ]);
    expect(shuffled(7)).toEqual(shuffled(7));
    expect(shuffled(7)).not.toEqual(shuffled(8));
    expect(shuffled(7).toSorted()).toEqual(many.map(({ name }) => name).toSorted());
  });
});
