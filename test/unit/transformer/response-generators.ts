/** Answers that an AI, or somebody who means harm, might give: every member, likely and unlikely values. */
import fc from "fast-check";
import type { AiCard, AiChoice, AiMedia, AiResponse } from "../../../plugin/contract.ts";
import { bidi, graphemes, longRun, markerSoup, markup, zalgo } from "./generators.ts";

/** Members that may be missing, and are never `undefined`. */
function some<T>(members: { [Member in keyof T]: fc.Arbitrary<T[Member]> }, required: readonly (keyof T)[]) {
  return fc.record(members, { requiredKeys: [...required] as never }) as unknown as fc.Arbitrary<T>;
}

type Texts = {
  readonly short: fc.Arbitrary<string>;
  readonly long: fc.Arbitrary<string>;
  readonly id: fc.Arbitrary<string>;
};
type Addresses = fc.Arbitrary<string>;

const EXTENSIONS = ["", ".jpg", ".png", ".webp", ".gif", ".pdf", ".mp4", ".ogg", ".mp3", ".JPEG?a=1", ".zip"];
const SCHEMES = ["https://", "https://", "https://", "https://", "http://", "ftp://", "data:image/png;base64,", ""];

function responseOf({ short, long, id }: Texts, url: Addresses): fc.Arbitrary<AiResponse> {
  const choice = some<AiChoice>({ id, title: short, description: short }, ["id", "title"]);
  const choices = (maxLength: number) => fc.array(choice, { maxLength });
  const card = some<AiCard>({ title: short, text: long, imageUrl: url, url, urlLabel: short, choices: choices(5) }, [
    "title",
  ]);
  const likeCard = fc
    .tuple(fc.array(fc.tuple(short, short, short), { minLength: 2, maxLength: 12 }), fc.boolean())
    .map(([all, isLink]) =>
      all.map(([title, text, label], index): AiCard => {
        const shown = { title, text, imageUrl: `https://ex.com/${index}.png` };
        return isLink
          ? { ...shown, url: `https://ex.com/${index}`, urlLabel: label }
          : { ...shown, choices: [{ id: `${index}`, title: label }] };
      }),
    );
  const media = some<AiMedia>(
    { kind: fc.constantFrom("image", "video", "audio", "document", "sticker"), url, caption: long, filename: short },
    ["kind", "url"],
  );
  return some<AiResponse>(
    {
      text: long,
      choices: fc.oneof(choices(3), choices(10), choices(14)),
      cards: fc.oneof(fc.array(card, { maxLength: 4 }), likeCard),
      media: fc.array(media, { maxLength: 3 }),
      location: some<NonNullable<AiResponse["location"]>>(
        {
          latitude: fc.oneof(fc.double({ min: -90, max: 90, noNaN: true }), fc.double()),
          longitude: fc.oneof(fc.double({ min: -180, max: 180, noNaN: true }), fc.double()),
          name: short,
          address: short,
        },
        ["latitude", "longitude"],
      ),
      reaction: some<NonNullable<AiResponse["reaction"]>>(
        { emoji: fc.oneof(fc.constantFrom("👍", "👨‍👩‍👧‍👦", "", null), short), messageId: id },
        ["emoji"],
      ),
    },
    [],
  );
}

const anyShort = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 80 }),
  markerSoup,
  bidi,
  graphemes,
  fc.constantFrom("", " ", "\u200b", "1. a", "# a", "**a**", "[a](https://ex.com)"),
);
const anyLong = fc.oneof(
  anyShort,
  markup,
  longRun,
  zalgo,
  fc.tuple(markup, markup).map((two) => two.join("\n\n").repeat(4)),
);
const anyAddress = fc.oneof(
  fc
    .tuple(fc.constantFrom(...SCHEMES), fc.webPath(), fc.constantFrom(...EXTENSIONS))
    .map(([scheme, path, extension]) => `${scheme}ex.com${path}${extension}`),
  fc.string({ unit: "binary", maxLength: 20 }),
);
const anyId = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ minLength: 190, maxLength: 260 }),
  fc.uuid(),
);

export const anyResponse: fc.Arbitrary<AiResponse> = responseOf(
  { short: anyShort, long: anyLong, id: anyId },
  anyAddress,
);

// Words that stand only once, so that none is found in the place of another.
const letters = "abcdefghijklmnopqrstuvwyz";
const word = fc
  .string({ unit: fc.constantFrom(...letters, "ß", "ñ", "ж"), minLength: 4, maxLength: 12 })
  .map((text) => `x${text}x`);
const few = fc.array(word, { minLength: 1, maxLength: 6 }).map((all) => all.join(" "));
const paragraphs = fc
  .array(
    fc.oneof(
      fc.array(few, { minLength: 1, maxLength: 12 }).map((all) => all.join(". ")),
      few.map((text) => `**${text}**`),
      fc.array(few, { minLength: 1, maxLength: 5 }).map((items) => items.map((item) => `- ${item}`).join("\n")),
      fc.tuple(few, few, few, few).map(([a, b, c, d]) => `| ${a} | ${b} |\n|---|---|\n| ${c} | ${d} |`),
      few.map((text) => `> ${text}`),
      few.map((text) => `\`\`\`\n${text}\n\n${text}\n\`\`\``),
      few.map((text) => `# ${text}`),
      few.map((text) => `![${text}](https://ex.com/pxqx.png)`),
      few.map((text) => `[${text}](https://ex.com/lxqx)`),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((all) => all.join("\n\n"));

/** Answers of nothing but words and addresses, each of which must be found again. */
export const wordyResponse: fc.Arbitrary<AiResponse> = responseOf(
  { short: few, long: paragraphs, id: fc.oneof(fc.uuid(), fc.string({ minLength: 190, maxLength: 260 })) },
  fc
    .tuple(fc.constantFrom("https://", "https://", "http://"), word, fc.constantFrom(...EXTENSIONS))
    .map(([scheme, name, extension]) => `${scheme}ex.com/${encodeURIComponent(name)}${extension}`),
);
