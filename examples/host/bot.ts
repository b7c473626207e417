/** The built-in bot: answers every turn so that a newcomer sees the channel work without an AI. */
import type { AiChoice, ReceivedMedia, Reply, Turn, TurnMessage } from "@omniops/whatsapp";

const HELP = `Hi! I am the **demo bot**. I answer whatever you write, and a few words do more:

- \`menu\`, \`list\` and \`many\` offer a choice: as buttons, as a list, as numbers
- \`format\` shows *everything* WhatsApp can format
- \`card\` and \`cards\` show products
- \`photo\`, \`video\`, \`audio\`, \`document\` and \`sticker\` send a file
- \`map\` sends a place, \`react\` a reaction
- \`template\` sends an approved template
- \`long\` needs several messages, \`stream\` comes bit by bit
- \`quote\` quotes what you wrote
- \`silence\` is answered with nothing`;

const FORMAT = `# Formatting

**Bold**, *italic*, ~~struck~~ and \`code\`.

1. First
2. Second
   - nested

- [x] done
- [ ] to do

> A quote.

| Plan | Price |
|------|-------|
| Solo | 9 €   |
| Team | 29 €  |

Read [the docs](https://example.com/docs).`;

const LONG = Array.from({ length: 120 }, (_, i) => `Paragraph ${i + 1}. ${"All work and no play. ".repeat(3).trim()}`);

const TEAS: readonly AiChoice[] = [
  "Assam",
  "Darjeeling",
  "Earl Grey",
  "Gunpowder",
  "Jasmine",
  "Keemun",
  "Lapsang souchong",
  "Oolong",
  "Rooibos",
  "Sencha",
  "White peony",
  "Yunnan",
].map((title) => ({ id: title.toLowerCase().replaceAll(" ", "-"), title }));

/** What a phone offers below the help; a list holds ten. */
const WORDS: readonly AiChoice[] = [
  ["menu", "two buttons"],
  ["list", "six rows"],
  ["cards", "a carousel with pictures"],
  ["format", "everything WhatsApp can format"],
  ["photo", "a picture"],
  ["audio", "a sound"],
  ["document", "a file"],
  ["map", "a place"],
  ["template", "an approved template"],
  ["stream", "word by word"],
].map(([title = "", description = ""]) => ({ id: title, title, description }));

const FILES = "https://example.com";

/** By the last word of the turn. */
const ANSWERS: Readonly<Record<string, Exclude<Reply, AsyncIterable<string>>>> = {
  hi: { text: HELP, choices: WORDS },
  hello: { text: HELP, choices: WORDS },
  help: { text: HELP, choices: WORDS },
  format: { text: FORMAT },
  long: { text: LONG.join("\n\n") },
  menu: {
    text: "What would you like?",
    choices: [
      { id: "tea", title: "Tea" },
      { id: "coffee", title: "Coffee" },
    ],
  },
  list: { text: "Which tea?", choices: TEAS.slice(0, 6).map((tea) => ({ ...tea, description: "a pot of it" })) },
  many: { text: "Which tea? Answer with its number or its name.", choices: TEAS },
  card: {
    cards: [
      {
        title: "Team plan",
        text: "For **up to ten** people.",
        url: "https://example.com/team",
        urlLabel: "See the plan",
      },
    ],
  },
  cards: {
    text: "Our two plans:",
    cards: ["Solo", "Team"].map((title) => ({
      title: `${title} plan`,
      imageUrl: `${FILES}/${title.toLowerCase()}.jpg`,
      url: `${FILES}/${title.toLowerCase()}`,
      urlLabel: "See the plan",
    })),
  },
  photo: { media: [{ kind: "image", url: `${FILES}/shop.jpg`, caption: "Our **shop**" }] },
  video: { media: [{ kind: "video", url: `${FILES}/tour.mp4`, caption: "A tour of it" }] },
  audio: { media: [{ kind: "audio", url: `${FILES}/welcome.ogg` }] },
  document: { media: [{ kind: "document", url: `${FILES}/menu.pdf`, filename: "menu.pdf", caption: "The menu" }] },
  sticker: { media: [{ kind: "sticker", url: `${FILES}/wave.webp` }] },
  map: { text: "We are here.", location: { latitude: 51.5007, longitude: -0.1246, name: "Demo Shop" } },
  react: { reaction: { emoji: "👍" } },
  template: { template: { name: "hello_world", language: "en_US" } },
  quote: { text: "You wrote this.", replyTo: true },
  silence: null,
};

export function answerLikeABot(turn: Turn): Reply {
  const file = turn.messages.at(-1)?.media;
  if (file?.state === "stored" && file.id !== null) return returned(file, file.id);
  const said = turn.messages.map(wordsOf);
  const word = said.at(-1)?.trim().toLowerCase() ?? "";
  if (word === "stream") return stream();
  if (Object.hasOwn(ANSWERS, word)) return ANSWERS[word];
  if (said.length === 1) return { text: `You said: ${said[0]}` };
  return { text: `You said ${said.length} things:\n\n${said.map((line) => `- ${line}`).join("\n")}` };
}

/** What somebody has sent is theirs to get back: by the id that it has here, without a byte going through this bot. */
function returned({ kind, mimeType, size, url, filename, voice }: ReceivedMedia, mediaId: string): Reply {
  return {
    text: `Your ${voice ? "voice note" : kind}, ${mimeType}, ${size} bytes. It is kept at ${url}, and here it is again:`,
    media: [{ kind, mediaId, ...(filename === null ? {} : { filename }), ...(voice ? { voice } : {}) }],
  };
}

/** As a language model would: word by word, and the first paragraphs are sent before the last is written. */
async function* stream(): AsyncGenerator<string> {
  for (const paragraph of LONG.slice(0, 9))
    for (const word of `${paragraph}\n\n`.split(/(?<= )/)) {
      await Promise.resolve();
      yield word;
    }
}

function wordsOf({ type, text, content }: TurnMessage): string {
  if (content?.kind === "choice") return content.title;
  return text ?? `[${type}]`;
}
