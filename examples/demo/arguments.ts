/** The demo's command line: what was asked, or the sentence that says why it cannot be done. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export type DemoArguments = {
  readonly help: boolean;
  /** End after the recordings instead of staying up. */
  readonly once: boolean;
  /** The folder with `<case>.request.json` files. */
  readonly fixtures: string;
};

export const HELP = `Usage: npm run demo [-- --once] [--fixtures DIR]

Shows the WhatsApp channel at work, offline: a temporary Postgres, a simulated Meta and the example host in this one
process. Every recorded webhook is posted, signed, to the host's real route, and the conversations that come of it are
printed. Then it stays up: type a message to chat, open the page, send webhooks of your own. Ctrl-C ends it.

  --once           end after the recordings: 0 when every message got its answer, 1 when one did not
  --fixtures DIR   play the <case>.request.json files of DIR instead of fixtures/webhooks
  --help           this text

Nothing is kept and nothing of yours is touched: DATABASE_URL and the other variables of the host are not read.
`;

const OUR_RECORDINGS = fileURLToPath(new URL("../../fixtures/webhooks", import.meta.url));

/** @throws Error whose message is the one line to print. */
export function readArguments(args: readonly string[]): DemoArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        once: { type: "boolean", default: false },
        fixtures: { type: "string", default: OUR_RECORDINGS },
      },
    });
    return values;
  } catch (error) {
    // Node explains at length how to escape dashes, which nobody here meant to.
    const [sentence] = (error as Error).message.split(". ");
    throw new Error(`${sentence?.replace(/[.\s]+$/, "")}. See: npm run demo -- --help`);
  }
}
