/** The built-in bot: answers every turn so that a newcomer sees the channel work without an AI. */
import type { AiResponse, Turn } from "@omniops/whatsapp";

const HELP = `Hi! I am the **demo bot**. I answer whatever you write, and a few words do more:

- \`menu\` shows a choice
- \`format\` shows *everything* WhatsApp can format
- \`long\` sends an answer that needs several messages
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

export function answerLikeABot(turn: Turn): AiResponse | null {
  const said = turn.messages.map((message) => message.text ?? `[${message.type}]`);
  switch (said.at(-1)?.trim().toLowerCase()) {
    case "silence":
      return null;
    case "hi":
    case "hello":
    case "help":
      return { text: HELP };
    case "format":
      return { text: FORMAT };
    case "long":
      return {
        text: Array.from({ length: 120 }, (_, i) => `Paragraph ${i + 1}. ${"All work and no play. ".repeat(3)}`).join(
          "\n\n",
        ),
      };
    case "menu":
      return {
        text: "What would you like?",
        choices: [
          { id: "tea", title: "Tea", description: "hot" },
          { id: "coffee", title: "Coffee" },
        ],
      };
    default:
      return {
        text:
          said.length === 1
            ? `You said: ${said[0]}`
            : `You said ${said.length} things:\n\n${said.map((line) => `- ${line}`).join("\n")}`,
      };
  }
}
