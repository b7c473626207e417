/** Somebody who floods the webhook's route until their process is ended: a hundred bodies of 50 MB at a time, in a process of their own. */
import { connect } from "node:net";
import { setPriority } from "node:os";

// Whoever floods has machines of their own: here they get what the server and its database leave.
setPriority(19);

const [port = "0", kind = "declared"] = process.argv.slice(2);
const MB = 1024 * 1024;
const FORGED = `X-Hub-Signature-256: sha256=${"0".repeat(64)}\r\n`;
const BLOCK = Buffer.alloc(65_536, "x");
const CHUNK = Buffer.concat([Buffer.from("10000\r\n"), BLOCK, Buffer.from("\r\n")]);
const KINDS: Readonly<Record<string, readonly [head: string, body: Buffer, bytes: number]>> = {
  unsigned: [`Content-Length: ${50 * MB}\r\n`, BLOCK, 50 * MB],
  declared: [`Content-Length: ${50 * MB}\r\n${FORGED}`, BLOCK, 50 * MB],
  chunked: [`Transfer-Encoding: chunked\r\n${FORGED}`, CHUNK, 50 * MB],
  // Read to its end, and hashed.
  whole: [`Content-Length: ${4 * MB}\r\n${FORGED}`, BLOCK, 4 * MB],
  slow: [`Content-Length: 1000\r\n${FORGED}`, Buffer.from("x"), 1],
};
const [head, body, bytes] = KINDS[kind] ?? [];
if (head === undefined || body === undefined || bytes === undefined) throw new Error(`There is no flood "${kind}".`);

for (let n = 0; n < (kind === "slow" ? 500 : 100); n++) pour(head, body, bytes);

/** One after the other, for ever. */
function pour(lines: string, part: Buffer, size: number): void {
  const socket = connect(Number(port), "127.0.0.1");
  let written = 0;
  const more = (): void => {
    while (!socket.destroyed && written < size) {
      written += part.length;
      if (!socket.write(part)) {
        socket.once("drain", more);
        return;
      }
    }
  };
  socket.on("error", () => {});
  socket.resume();
  socket.once("connect", () => {
    socket.write(`POST /api/whatsapp/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines}\r\n`);
    more();
  });
  // A client of a real network needs a moment to come back, each its own.
  socket.once("close", () => setTimeout(() => pour(lines, part, size), 50 + Math.random() * 100));
}
