/** Every recorded message that we would post, posted to the simulator, which reads Meta's documentation for itself. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkMessage } from "../../../plugin/messages/check-message.ts";
import { encodeMessage } from "../../../plugin/messages/encode-message.ts";
import type { prepareTemplate } from "../../../plugin/templates/prepare-template.ts";
import { ADA, NUMBER, send, startSimulator } from "./simulated.ts";

const fixtures = (folder: string) => new URL(`../../../fixtures/${folder}/`, import.meta.url);
const MESSAGES = fixtures("graph-api");
const TEMPLATES = fixtures("templates");

function cases(folder: URL, ending: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.replace(ending, ""));
}

function read(folder: URL, file: string) {
  return JSON.parse(readFileSync(new URL(file, folder), "utf8"));
}

describe("a recorded message", () => {
  // Whether a template fits is the question of the other group; a raw message is whatever the host makes of it.
  const plain = cases(MESSAGES, ".body.json").filter(
    (name) => !["template", "raw"].includes(read(MESSAGES, `${name}.message.json`).kind),
  );

  it.each(plain)("%s is taken", async (name) => {
    const meta = await startSimulator();
    const body = read(MESSAGES, `${name}.body.json`);

    const answer = await send(meta, { messaging_product: "whatsapp", to: ADA.phoneNumber, ...body });

    expect(answer).toMatchObject({ status: 200, body: { messages: [{ id: expect.any(String) }] } });
  });
});

describe("a recorded template", () => {
  // What is no template of any kind cannot be spelled as one.
  const sendable = cases(TEMPLATES, ".result.json").filter(
    (name) =>
      checkMessage({ ...read(TEMPLATES, `${name}.choice.json`), kind: "template" }).length === 0 ||
      read(TEMPLATES, `${name}.result.json`).kind === "ready",
  );

  it.each(sendable)("%s is taken or refused as we say", async (name) => {
    const result: ReturnType<typeof prepareTemplate> = read(TEMPLATES, `${name}.result.json`);
    const listed = read(TEMPLATES, `${name}.template.json`);
    const meta = await startSimulator({ templates: [] });
    // Meta has one word for what its webhooks have several for.
    for (const { parameter_format: parameterFormat, ...template } of listed)
      meta.templates.add({
        ...template,
        parameterFormat,
        ...(template.status === "REINSTATED" && { status: "APPROVED" }),
      });
    // Refused by us: posted as it was chosen, Meta must refuse it too.
    const choice = result.kind === "ready" ? result.choice : read(TEMPLATES, `${name}.choice.json`);
    const path = `${NUMBER.phoneNumberId}/${choice.endpoint === "marketing" ? "marketing_messages" : "messages"}`;

    const answer = await send(
      meta,
      { messaging_product: "whatsapp", to: ADA.phoneNumber, ...encodeMessage({ ...choice, kind: "template" }) },
      { path },
    );

    expect([answer.status === 200 ? "ready" : "refused", answer.body.error?.code]).toEqual([
      result.kind,
      result.kind === "ready" ? undefined : expect.any(Number),
    ]);
  });
});
