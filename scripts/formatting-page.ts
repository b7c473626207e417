/** docs/formatting.md from the recorded pairs: each case as input, as WhatsApp's text, and as a picture. */
import { readFileSync } from "node:fs";
import type { AiResponse, Transformed } from "../plugin/contract.ts";
import { sentText } from "../plugin/pipeline/sent-text.ts";
import { CHAPTERS } from "./formatting-cases.ts";

const FIXTURES = new URL("../fixtures/ai-responses/", import.meta.url);

export function readCase(name: string): {
  readonly response: AiResponse | string;
  readonly transformed: Transformed;
} {
  const read = (side: string) => JSON.parse(readFileSync(new URL(`${name}.${side}.json`, FIXTURES), "utf8"));
  return { response: read("response"), transformed: read("messages") };
}

export function formattingPage(): string {
  return [
    "# Formatting",
    "What the AI answers, and what a person sees. Made from [the recorded pairs](../fixtures/ai-responses) by `npm run formatting`; the",
    "pictures show how WhatsApp reads its own marks, drawn by us. What is changed in form, cut or left out is in `degraded`, listed",
    "under each case. Why it is so: [decision 0009](decisions/0009-what-an-answer-becomes.md).",
    "",
    ...CHAPTERS.flatMap(({ title, words, cases }) => [`## ${title}`, "", words, "", ...cases.flatMap(section)]),
  ]
    .join("\n")
    .replace("# Formatting\n", "# Formatting\n\n");
}

function section(name: string): readonly string[] {
  const { response, transformed } = readCase(name);
  const { messages, degraded } = transformed;
  const input =
    typeof response === "string" ? fenced(response, "markdown") : fenced(JSON.stringify(response, null, 2), "json");
  const heading = name.charAt(0).toUpperCase() + name.slice(1).replaceAll("-", " ");
  const output = messages.map((message) => fenced(sentText(message), "text"));
  const changes = degraded.map(({ what, from, to }) => `- \`${what}\`: ${from} → ${to}`);
  return [
    `### ${heading}`,
    "",
    input,
    "",
    ...output.flatMap((text) => [text, ""]),
    ...(changes.length === 0 ? [] : [...changes, ""]),
    `![${heading}](formatting/${name}.png)`,
    "",
  ];
}

/** In a fence longer than any inside. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
