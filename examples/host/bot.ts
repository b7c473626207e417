/** The built-in bot: answers every turn so that a newcomer sees the channel work without an AI. */
import type { AiResponse, Turn } from "@omniops/whatsapp";

const HELP = `Hi! I am the **demo bot**. I answer whatever you write, and a few words do more:

- \`menu\` offers a choice
- \`format\` shows *everything* WhatsApp can format
- \`card\`, \`photo\` and \`map\` show what else an answer may hold
- \`long\` sends an answer that needs several messages
- \`quote\` quotes what you wrote
- \`silence\` is answered with nothing`;

const FORMAT = `# Formatting

**Bold**, *italic*, ~~struck~~ and \`code\`.

1. First
2. Second
   - nested

> A quote.

| Plan | Price |
|------|-------|
| Solo | 9 €   |
| Team | 29 €  |

Read [the docs](https://example.com/docs).`;

const LONG = Array.from({ length: 120 }, (_, i) => `Paragraph ${i + 1}. ${"All work and no play. ".repeat(3).trim()}`);

/** By the last word of the turn. */
const ANSWERS: Readonly<Record<string, AiResponse | null>> = {
  hi: { text: HELP },
  hello: { text: HELP },
  help: { text: HELP },
  format: { text: FORMAT },
  long: { text: LONG.join("\n\n") },
  menu: {
    text: "What would you like?",
    choices: [
      { id: "tea", title: "Tea", description: "hot" },
      { id: "coffee", title: "Coffee" },
    ],
  },
  card: {
    cards: [
      {
        title: "Team plan",
        text: "For **up to ten** people.",
        url: "https://example.com/team",
        urlLabel: "See the plan",
        choices: [{ id: "team", title: "Take it" }],
      },
    ],
  },
  photo: { media: [{ kind: "image", url: "https://example.com/shop.jpg", caption: "Our shop" }] },
  map: { text: "We are here.", location: { latitude: 51.5007, longitude: -0.1246, name: "Demo Shop" } },
  quote: { text: "You wrote this.", replyTo: true },
  silence: null,
};

export function answerLikeABot(turn: Turn): AiResponse | null {
  const said = turn.messages.map((message) => message.text ?? `[${message.type}]`);
  const word = said.at(-1)?.trim().toLowerCase() ?? "";
  if (Object.hasOwn(ANSWERS, word)) return ANSWERS[word] ?? null;
  if (said.length === 1) return { text: `You said: ${said[0]}` };
  return { text: `You said ${said.length} things:\n\n${said.map((line) => `- ${line}`).join("\n")}` };
}
