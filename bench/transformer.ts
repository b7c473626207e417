/** `npm run bench transformer`: MB/s beside the converter of a peer, and how the time grows with texts made to be slow. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createWhatsAppAdapter, splitMessage } from "@chat-adapter/whatsapp";
import { createWhatsAppPlugin } from "@omniops/whatsapp";
import knexFactory from "knex";

const LEAST_RATIO = 3;
const MOST_GROWTH = 2.3;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const ROUND_MS = Number(process.env.BENCH_ROUND_MS ?? 400);
const KIB = 1024;
const GROWTH_SIZES = [16, 32, 64, 128, 256].map((size) => size * KIB);
/** Characters per measurement. */
const GROWTH_TEXT = 1024 * KIB;

type Convert = (markdown: string) => unknown;

/** @returns whether both limits were kept. */
export function benchTransformer(): boolean {
  const ours = ourConverter();
  const peers = peersConverter();
  const isFast = [2 * KIB, 64 * KIB].map((size) => compare(answerOf(size), { ours, peers })).every(Boolean);
  const isLinear = growth(ours);
  return isFast && isLinear;
}

function ourConverter(): Convert {
  const whatsapp = createWhatsAppPlugin({
    // Never connected: transforming is pure.
    knex: knexFactory({ client: "pg" }),
    config: {
      metaAppSecret: "bench-app-secret",
      verifyToken: "bench-verify-token",
      tokenKeys: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
    },
    reply: () => null,
  });
  return (markdown) => whatsapp.transform(markdown);
}

/** What its adapter does between `post({ markdown })` and the HTTP call. */
function peersConverter(): Convert {
  const adapter = createWhatsAppAdapter({
    accessToken: "bench",
    appSecret: "bench",
    phoneNumberId: "1",
    verifyToken: "bench",
  });
  // biome-ignore lint/complexity/useLiteralKeys: not public by its types, and the only way to the converter alone.
  const converter = adapter["formatConverter"];
  return (markdown) => splitMessage(converter.renderPostable({ markdown }));
}

/** In alternating rounds, so that a busy machine is busy for both. */
function compare(answer: string, { ours, peers }: { readonly ours: Convert; readonly peers: Convert }): boolean {
  const name = `${Math.round(answer.length / KIB)} kB`;
  for (const convert of [ours, peers]) speedOf(convert, answer);
  const rounds = Array.from({ length: ROUNDS }, (_, round) => {
    if (round % 2 === 0) return { peers: speedOf(peers, answer), ours: speedOf(ours, answer) };
    return { ours: speedOf(ours, answer), peers: speedOf(peers, answer) };
  });
  const ratios = rounds.map((round) => round.ours / round.peers);
  const ratio = median(ratios);
  const isMet = ratio >= LEAST_RATIO;
  console.log(`\nAn answer of ${name}, ${ROUNDS} alternating rounds of ${ROUND_MS} ms`);
  console.log(`  ours                     ${median(rounds.map((round) => round.ours)).toFixed(2)} MB/s`);
  console.log(`  @chat-adapter/whatsapp   ${median(rounds.map((round) => round.peers)).toFixed(2)} MB/s`);
  console.log(
    `  ratio: median ${ratio.toFixed(1)} (${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}), bar ${LEAST_RATIO}: ${verdict(isMet)}`,
  );
  return isMet;
}

/** MB/s. */
function speedOf(convert: Convert, answer: string): number {
  const bytes = Buffer.byteLength(answer);
  const start = performance.now();
  let converted = 0;
  let elapsed = 0;
  while (elapsed < ROUND_MS) {
    convert(answer);
    converted += bytes;
    elapsed = performance.now() - start;
  }
  return converted / 1e6 / (elapsed / 1000);
}

function growth(convert: Convert): boolean {
  console.log(`\nMilliseconds for texts made to be slow, and the most that a doubling costs (bar ${MOST_GROWTH})`);
  console.log(`  ${"".padEnd(20)}${GROWTH_SIZES.map((size) => `${size / KIB} kB`.padStart(9)).join("")}   growth`);
  return Object.entries(SLOW_TEXTS)
    .map(([name, make]) => {
      const texts = GROWTH_SIZES.map(make);
      for (const text of texts) timeOf(convert, text);
      // Round by round, so that a busy moment is not one size's alone; the best of each, so that it is nobody's.
      const rounds = Array.from({ length: ROUNDS }, () => texts.map((text) => timeOf(convert, text)));
      const times = texts.map((_, index) => Math.min(...rounds.map((round) => round[index] ?? Number.NaN)));
      const worst = Math.max(...times.slice(1).map((time, index) => time / (times[index] ?? Number.NaN)));
      const isMet = worst <= MOST_GROWTH;
      const columns = times.map((time) => time.toFixed(1).padStart(9)).join("");
      console.log(`  ${name.padEnd(20)}${columns}   ${worst.toFixed(2)}${isMet ? "" : " MISSED"}`);
      return isMet;
    })
    .every(Boolean);
}

/** Milliseconds of one call, out of as many as make the same amount of text: the garbage of each size is paid for in it. */
function timeOf(convert: Convert, text: string): number {
  const calls = Math.max(1, Math.round(GROWTH_TEXT / text.length));
  collectGarbage();
  const start = performance.now();
  for (let call = 0; call < calls; call += 1) convert(text);
  return (performance.now() - start) / calls;
}

/** So that a round does not pay for the one before it. */
setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const filled = (unit: string) => (size: number) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);

const SLOW_TEXTS: Readonly<Record<string, (size: number) => string>> = {
  "*": filled("*"),
  "[": filled("["),
  // After a letter: at the start of a line they are a fence, which costs nothing.
  "a```": (size) => `a${"`".repeat(size - 1)}`,
  ">": filled(">"),
  "nested parentheses": (size) => `[a](${"(".repeat(size / 2)}${")".repeat(size / 2)})`,
  "*a ": filled("*a "),
  "[a](": filled("[a]("),
  "` a": filled("` a"),
  "> a\\n": filled("> a\n"),
  "$a ": filled("$a "),
  "<b>": filled("<b>"),
};

/** What assistants write: headings, lists, emphasis, links, code, a table. */
function answerOf(size: number): string {
  const section = `## How to return your order

Thank you for asking! You can return **any item** within *30 days*. Here is how it works:

1. Open [your orders](https://shop.example.com/orders?from=chat) and choose the order.
2. Select the items, then press **Return**.
   - Shoes must be in their *original box*.
   - Underwear can **not** be returned.
3. Print the label and bring the parcel to a shop near you.

> Refunds take ~5 days, and ~~shipping is refunded as well~~ shipping is not refunded.

| Item | Days | Fee |
|------|-----:|----:|
| Shoes | 30 | 0 |
| Books | 14 | 2 |

To see the state of it, call our API:

\`\`\`json
{ "order": 4711, "state": "return_requested", "items": ["a", "b"] }
\`\`\`

Anything else? Write to help@example.com or call +44 20 7946 0000. 🙂

`;
  return section.repeat(Math.ceil(size / section.length)).slice(0, size);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function verdict(isMet: boolean): string {
  return isMet ? "met" : "MISSED";
}
