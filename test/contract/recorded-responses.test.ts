/** Every pair in fixtures/ai-responses: an AI response, and the messages that it becomes. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AiResponse } from "../../plugin/contract.ts";
import { checkMessage } from "../../plugin/messages/check-message.ts";
import { transformResponse } from "../../plugin/transformer/transform-response.ts";

const FOLDER = new URL("../../fixtures/ai-responses/", import.meta.url);
const files = readdirSync(FOLDER);
const responses = files.filter((file) => file.endsWith(".response.json"));
/** To be read line by line before they are committed. */
const isRecording = process.env.RECORD === "1";

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
}

describe("recorded AI responses", () => {
  it.each(responses.map((file) => file.replace(".response.json", "")))("%s is sent as promised", (name) => {
    const response = read(`${name}.response.json`) as AiResponse | string;

    const transformed = transformResponse(response, { lastMessageId: "wamid.LAST" });

    if (isRecording) {
      writeFileSync(new URL(`${name}.messages.json`, FOLDER), `${JSON.stringify(transformed, null, 2)}\n`);
    }
    expect(transformed).toEqual(read(`${name}.messages.json`));
    expect(transformed.messages.flatMap(checkMessage)).toEqual([]);
  });

  it("has both sides of every pair", () => {
    const messages = files.filter((file) => file.endsWith(".messages.json"));

    expect(messages.map((file) => file.replace(".messages.", ".response."))).toEqual(responses);
    expect(responses.length).toBeGreaterThanOrEqual(60);
  });
});
