/** How far a long command is: one line on a terminal, which the next one overwrites; nothing for a file or a script. */

export type Progress = { show(done: number, of: number): void; end(): void };

const WIDTH = 24;

/** @param isSilent nobody is to see it. */
export function showProgress(stream: NodeJS.WriteStream, isSilent: boolean): Progress {
  if (isSilent || stream.isTTY !== true) return { show() {}, end() {} };
  let isShown = false;
  return {
    show(done, of) {
      const full = of === 0 ? WIDTH : Math.round((done / of) * WIDTH);
      stream.write(`\r\u001b[K${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${done} of ${of}`);
      isShown = true;
    },
    end() {
      if (isShown) stream.write("\r\u001b[K");
      isShown = false;
    },
  };
}
