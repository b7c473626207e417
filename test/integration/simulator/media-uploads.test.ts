/** Files that the business uploads: what Meta takes, how long an id lives, and in which messages it may stand. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ACCESS_TOKEN, ADA, call, NUMBER, PROOF, startSimulator } from "./simulated.ts";

type Meta = Awaited<ReturnType<typeof startSimulator>>;

const BYTES = Buffer.concat([Buffer.from("%PDF-1.7\r\n--boundary\r\n"), Buffer.alloc(300_000, 13)]);
const OTHER = { ...NUMBER, phoneNumberId: "301777000333555", displayPhoneNumber: "+1 555-777-0101" };

async function upload(
  meta: Meta,
  { bytes = BYTES, mime = "application/pdf", product = "whatsapp", to = NUMBER.phoneNumberId } = {},
): Promise<{ status: number; body: { id?: string; error?: { code: number; message: string } } }> {
  const form = new FormData();
  form.set("messaging_product", product);
  form.set("type", mime);
  form.set("file", new Blob([bytes], { type: mime }), "menu.pdf");
  const answer = await fetch(`${meta.url}/v25.0/${to}/media?appsecret_proof=${PROOF}`, {
    method: "POST",
    headers: { authorization: `Bearer ${ACCESS_TOKEN}` },
    body: form,
  });
  return { status: answer.status, body: (await answer.json()) as { id?: string } };
}

const message = (media: object) => ({ messaging_product: "whatsapp", to: "+447700900123", ...media });
const send = (meta: Meta, body: object, from = NUMBER.phoneNumberId) =>
  call(meta, `${from}/messages`, { method: "POST", body: JSON.stringify(body) });

async function open(meta: Meta): Promise<void> {
  meta.person(ADA).says("hello");
  await meta.idle();
}

describe("an upload", () => {
  it("is taken to the byte, and its id may be sent", async () => {
    const meta = await startSimulator();
    await open(meta);

    const { status, body } = await upload(meta);

    expect(status).toBe(200);
    expect(meta.uploads).toEqual([
      {
        id: body.id,
        phoneNumberId: NUMBER.phoneNumberId,
        filename: "menu.pdf",
        mime: "application/pdf",
        size: BYTES.byteLength,
        sha256: createHash("sha256").update(BYTES).digest("hex"),
        at: expect.any(Date),
      },
    ]);
    expect(await send(meta, message({ type: "document", document: { id: body.id } }))).toMatchObject({ status: 200 });
    await meta.idle();
    expect(meta.accepted[0]?.failureCode).toBeNull();
  });

  it.each([
    ["of a type that WhatsApp has not", { mime: "application/zip" }, 100, /one of the following types/],
    ["that is no picture Meta takes", { mime: "image/gif" }, 100, /one of the following types/],
    ["that is too large for its type", { mime: "image/jpeg", bytes: Buffer.alloc(5 * 1024 * 1024 + 1) }, 131053, /./],
    ["without bytes", { bytes: Buffer.alloc(0) }, 100, /file is required/],
    ["without a product", { product: "" }, 100, /messaging_product/],
  ])("%s is refused", async (_what, given, code, sentence) => {
    const meta = await startSimulator();

    const { status, body } = await upload(meta, given);

    expect(status).toBe(400);
    expect(body.error?.code).toBe(code);
    expect(body.error?.message).toMatch(sentence);
    expect(meta.uploads).toEqual([]);
  });

  it("is the number's own, for 30 days", async () => {
    let now = new Date("2026-11-27T12:00:00Z");
    const meta = await startSimulator({ numbers: [NUMBER, OTHER], now: () => now, enforceWindow: false });
    const id = (await upload(meta)).body.id ?? "";
    const document = message({ type: "document", document: { id } });
    const refused = { status: 400, body: { error: { code: 100, message: expect.stringContaining("attachment ID") } } };

    expect(await send(meta, document)).toMatchObject({ status: 200 });
    expect(await send(meta, document, OTHER.phoneNumberId)).toMatchObject(refused);
    expect(await send(meta, message({ type: "image", image: { id: "4410001" } }))).toMatchObject(refused);
    const header = { type: "document", document: { id: "4410001" } };
    const button = { type: "reply", reply: { id: "a", title: "A" } };
    const interactive = { type: "button", header, body: { text: "b" }, action: { buttons: [button] } };
    expect(await send(meta, message({ type: "interactive", interactive }))).toMatchObject(refused);

    now = new Date("2026-12-27T11:59:00Z");
    expect(await send(meta, document)).toMatchObject({ status: 200 });
    now = new Date("2026-12-27T12:01:00Z");
    expect(await send(meta, document)).toMatchObject(refused);
  });

  it("that is forgotten before its time is refused", async () => {
    const meta = await startSimulator({ enforceWindow: false });
    const id = (await upload(meta)).body.id ?? "";
    meta.forgetUpload(id);

    expect(await send(meta, message({ type: "document", document: { id } }))).toMatchObject({ status: 400 });
  });

  it("of another type than the message fails later, as does a link that Meta cannot fetch", async () => {
    const meta = await startSimulator({ enforceWindow: false, cannotFetch: (link) => link.endsWith("gone.png") });
    const id = (await upload(meta)).body.id ?? "";

    await send(meta, message({ type: "image", image: { id } }));
    await send(meta, message({ type: "image", image: { link: "https://files.example/gone.png" } }));
    await send(meta, message({ type: "image", image: { link: "https://files.example/there.png" } }));

    expect(meta.accepted.map(({ failureCode }) => failureCode)).toEqual([131053, 131053, null]);
  });

  it("may be disturbed like every call", async () => {
    const meta = await startSimulator();
    meta.faults.next({ on: "media-upload", do: { error: { code: 131016 } } });

    expect((await upload(meta)).body.error?.code).toBe(131016);
    expect((await upload(meta)).status).toBe(200);
  });
});
