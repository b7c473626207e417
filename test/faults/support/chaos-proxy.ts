/**
 * A TCP proxy in front of Postgres that slows, silences and cuts connections, and that can stop at a named moment of a
 * transaction. It reads the statements that pass, so the code under test needs no fail points of its own.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export type Moment = {
  /** Text that the statement holds. */
  readonly statement: RegExp;
  /**
   * `before-statement`: the server never sees it. `before-commit`: the transaction that holds it is never committed.
   * `after-commit`: it is committed, and nobody here hears so.
   */
  readonly at: "before-statement" | "before-commit" | "after-commit";
};

export type ChaosProxy = {
  readonly port: number;
  /** Added to every chunk, either way. */
  latencyMs: number;
  /** Nothing passes and nothing closes: a network that has gone silent. */
  silent: boolean;
  /** How many ends of connections have lost something in a silence. What they say later is lost too: it would make no sense. */
  readonly silenced: number;
  /** Resets every connection that is open. */
  reset(): void;
  /** The connection is reset once this many bytes have gone to the server; the next connection is spared. */
  cutAfter(bytes: number): void;
  /** Calls `act` when the moment comes, once; then that connection is reset. Resolves after it. */
  stopAt(moment: Moment, act?: () => Promise<unknown>): Promise<void>;
  close(): void;
};

type Trap = { readonly moment: Moment; readonly act: () => Promise<unknown>; readonly sprung: () => void };

/** A prepared statement's name, and its text where it is prepared. */
const PARSED = /\0?(whatsapp_[0-9a-f]{24})\0(\s*(?:select|with|insert|update|delete)\b[^\0]*)\0/gi;
/** ReadyForQuery outside any transaction. */
const COMMITTED = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

export async function startChaosProxy(target: () => number): Promise<ChaosProxy> {
  const sockets = new Set<Socket>();
  const silenced = new Set<Socket>();
  let trap: Trap | null = null;
  let bytesLeft = Number.POSITIVE_INFINITY;

  const server = createServer((client) => {
    const upstream = connect(target(), "127.0.0.1");
    const names = new Map<string, string>();
    // The trap whose statement this connection's transaction holds.
    let holding: Trap | null = null;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const cut = () => {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    };

    async function spring(sprung: Trap): Promise<void> {
      trap = null;
      await sprung.act();
      cut();
      sprung.sprung();
    }

    async function toServer(chunk: Buffer): Promise<void> {
      const text = chunk.toString("latin1");
      for (const [, name, sql] of text.matchAll(PARSED)) names.set(name as string, sql as string);
      const statements = [text, ...[...names].filter(([name]) => text.includes(name)).map(([, sql]) => sql)];
      const set = trap;
      if (set !== null && statements.some((sql) => set.moment.statement.test(sql))) {
        if (set.moment.at === "before-statement") return spring(set);
        holding = set;
      }
      if (holding !== null && holding === trap && holding.moment.at === "before-commit" && /\bcommit\b/i.test(text))
        return spring(holding);
      if (chunk.length >= bytesLeft) {
        upstream.write(chunk.subarray(0, bytesLeft));
        bytesLeft = Number.POSITIVE_INFINITY;
        return cut();
      }
      bytesLeft -= chunk.length;
      upstream.write(chunk);
    }

    async function toClient(chunk: Buffer): Promise<void> {
      if (holding !== null && chunk.includes(COMMITTED)) {
        if (holding === trap && holding.moment.at === "after-commit") return spring(holding);
        holding = null;
      }
      client.write(chunk);
    }

    pump(client, toServer);
    pump(upstream, toClient);
  });

  /** One chunk after the other, so that neither latency nor a trap lets one overtake. */
  function pump(from: Socket, pass: (chunk: Buffer) => Promise<void>): void {
    let last: Promise<void> = Promise.resolve();
    from.on("data", (chunk: Buffer) => {
      last = last.then(async () => {
        if (proxy.latencyMs > 0) await pause(proxy.latencyMs);
        if (proxy.silent || silenced.has(from)) silenced.add(from);
        else await pass(chunk);
      });
    });
  }

  const proxy: ChaosProxy & { port: number } = {
    port: 0,
    latencyMs: 0,
    silent: false,
    get silenced() {
      return silenced.size;
    },
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    cutAfter(bytes) {
      bytesLeft = bytes;
    },
    stopAt: (moment, act = async () => undefined) =>
      new Promise((sprung) => {
        trap = { moment, act, sprung };
      }),
    close() {
      proxy.reset();
      server.close();
    },
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
}
