/** HTTP as bytes on a socket: what no client library would send. */
import net from "node:net";

export type RawAnswer = { readonly status: number; readonly headers: string; readonly body: string };

export type RawConnection = {
  write(part: string | Uint8Array): Promise<void>;
  /** No more will come; answers can still be read. */
  end(): void;
  /** As when a cable is pulled: the other side gets a reset. */
  reset(): void;
  /** The first whole answer; null when the connection closed without one. */
  readonly answer: Promise<RawAnswer | null>;
};

export async function connect(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = net.connect({ host: hostname, port: Number(port) });
  const answer = new Promise<RawAnswer | null>((resolve) => {
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
      const whole = readAnswer(received);
      if (whole !== null) resolve(whole);
    });
    socket.on("error", () => resolve(null));
    socket.once("close", () => resolve(null));
  });
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return {
    write: (part) => new Promise((resolve) => socket.write(part, () => resolve())),
    end: () => socket.end(),
    reset: () => socket.resetAndDestroy(),
    answer: answer.finally(() => socket.destroy()),
  };
}

/** Header lines as given, so that one may come twice. */
export function head(url: string, lines: readonly string[]): string {
  const { pathname, host } = new URL(url);
  return [`POST ${pathname} HTTP/1.1`, `Host: ${host}`, ...lines, "", ""].join("\r\n");
}

export function linesOf(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}

function readAnswer(received: string): RawAnswer | null {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const headers = received.slice(0, end);
  const length = Number(/^content-length: (\d+)$/im.exec(headers)?.[1] ?? 0);
  const body = received.slice(end + 4);
  return body.length < length ? null : { status: Number(headers.split(" ")[1]), headers, body };
}
