/** Shows on a terminal that long work goes on, and how far it is. Where nobody looks, nothing. */

/** @param total null where nobody knows. */
export type TellProgress = (done: number, total: number | null) => void;

/** What is done sooner needs no line. */
const FIRST_AFTER_MS = 400;
const EVERY_MS = 200;

/** @param stream stderr, so that stdout is the answer alone. */
export async function showingProgress<T>(
  title: string,
  run: (tell: TellProgress) => Promise<T>,
  stream: Pick<NodeJS.WriteStream, "isTTY" | "write"> = process.stderr,
): Promise<T> {
  if (stream.isTTY !== true) return run(() => undefined);
  const began = Date.now();
  let progress = "";
  let isDrawn = false;
  let drawnAt = 0;
  const draw = () => {
    if (Date.now() - began < FIRST_AFTER_MS) return;
    isDrawn = true;
    drawnAt = Date.now();
    stream.write(`\r\u001b[2K${title}… ${progress}${Math.floor((Date.now() - began) / 1_000)} s`);
  };
  const timer = setInterval(draw, EVERY_MS);
  try {
    return await run((done, total) => {
      progress = `${done}${total === null ? "" : ` of ${total}`}, `;
      // Work that never waits leaves no time to the timer.
      if (Date.now() - drawnAt >= EVERY_MS) draw();
    });
  } finally {
    clearInterval(timer);
    if (isDrawn) stream.write("\r\u001b[2K");
  }
}
