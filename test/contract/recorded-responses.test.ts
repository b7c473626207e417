/** Every pair in fixtures/ai-responses: an AI response, and what we post to Meta because of it. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AiResponse } from "../../plugin/contract.ts";
import { encodeMessage } from "../../plugin/transformer/encode-message.ts";
import { transformResponse } from "../../plugin/transformer/transform-response.ts";

const FOLDER = new URL("../../fixtures/ai-responses/", import.meta.url);
const files = readdirSync(FOLDER);
const responses = files.filter((file) => file.endsWith(".response.json"));

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
}

describe("recorded AI responses", () => {
  it.each(responses.map((file) => file.replace(".response.json", "")))("%s is sent as promised", (name) => {
    const response = read(`${name}.response.json`) as AiResponse | string;

    const { messages, degraded } = transformResponse(response);

    expect({ sends: messages.map(encodeMessage), degraded }).toEqual(read(`${name}.sends.json`));
  });

  it("has both sides of every pair", () => {
    const sends = files.filter((file) => file.endsWith(".sends.json"));

    expect(sends.map((file) => file.replace(".sends.", ".response."))).toEqual(responses);
    expect(responses.length).toBeGreaterThanOrEqual(22);
  });
});
