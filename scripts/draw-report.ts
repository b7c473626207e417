/** `npm run screenshots`: draws docs/qa/, the report of a replay in which one answer of three has changed. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { WireObject } from "@omniops/whatsapp/simulator";
import { diffConversation, type Sent } from "../qa/diff.ts";
import type { ReplayResult } from "../qa/replay-result.ts";
import { reportHtml } from "../qa/report-html.ts";
import { openBrowser } from "./open-browser.ts";

const PICTURES = fileURLToPath(new URL("../docs/qa/", import.meta.url));
/** Nobody's: as the recorder makes them. */
const PERSON = "440000000123";

const HOURS = "We are open until *18:00* today.";
const CAKE = "Your *lemon tart* is ready at noon.";
const exchange = (fixture: string, question: string, promised: string, got = promised) => ({
  fixture,
  written: [{ type: "text", from: PERSON, text: { body: question } }],
  rows: diffConversation([sent(fixture, promised)], [sent(fixture, got)], { text: "keep", isInOrder: true }),
});

const browser = await openBrowser();
try {
  await mkdir(PICTURES, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await browser.newPage({ viewport: { width: 1000, height: 600 }, colorScheme });
    await page.setContent(reportHtml(resultOf(), { title: "recordings/refund", subtitle: "27 November 2026, 10:24" }));
    const png = await page.screenshot({ fullPage: true, animations: "disabled", caret: "hide" });
    await writeFile(join(PICTURES, `report-${colorScheme}.png`), png);
    console.log(`docs/qa/report-${colorScheme}.png  ${Math.round(png.length / 1024)} kB`);
  }
} finally {
  await browser.close();
}

function sent(after: string, body: string): Sent {
  const message: WireObject = { type: "text", text: { body } };
  return { endpoint: "messages", message, after };
}

function resultOf(): ReplayResult {
  const steps = [
    exchange("0001-message", "Are you open today?", HOURS),
    exchange("0002-message", "And when is my order ready?", CAKE, CAKE.replace("at noon", "at 15:00")),
    exchange("0003-message", "Thank you!", "You are welcome. See you _soon_!"),
  ];
  return {
    conversations: [{ from: "301777000333444", to: PERSON, name: "Iris Vale", steps }],
    differences: 1,
    refused: [],
    counts: { deliveries: 3, promised: 3, sent: 3, same: 2 },
    ok: false,
    sends: new Map(),
  };
}
