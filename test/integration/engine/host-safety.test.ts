/** I10: nothing of ours ends the host's process, keeps it alive, or stays behind in it. Each host is a process of its own. */
import { once } from "node:events";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleProgram } from "../../support/bundled-program.ts";
import { NUMBER, TENANT } from "../../support/channel.ts";
import { spawnNode } from "../../support/node-process.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { connectNumber } from "./support.ts";

type Ending = { readonly code: number | null; readonly said: string; readonly errors: string };

const LIFECYCLE = bundleProgram("test/integration/engine/children/lifecycle.ts");
const HOSTILE = bundleProgram("test/integration/engine/children/hostile-host.ts");

const endings = new Map<string, Promise<Ending>>();
const databases = new Map<string, TestDatabase>();

// All at once: they wait more than they work.
beforeAll(async () => {
  endings.set("construct", run(LIFECYCLE, ["construct", "postgres://nobody@127.0.0.1:9/none"]));
  for (const mode of ["start", "tick", "reply", "listener", "logger", "knex", "never"]) {
    const database = await createTestDatabase();
    databases.set(mode, database);
    const rows = async <T>(sql: string, bindings: readonly unknown[] = []) =>
      (await database.knex.raw(sql, bindings as never)).rows as T[];
    await rows("insert into customer_configs (id) values (?)", [TENANT]);
    await connectNumber(rows);
    const program = mode === "start" || mode === "tick" ? LIFECYCLE : HOSTILE;
    endings.set(mode, run(program, [mode, database.url, NUMBER.phoneNumberId]));
  }
});

async function endingOf(mode: string): Promise<Ending> {
  const ending = await endings.get(mode);
  if (ending === undefined) throw new Error(`nobody ran ${mode}`);
  return ending;
}

describe("a host that only constructs the plugin", () => {
  it("ends by itself: no timer, socket or listener of ours exists", async () => {
    const { code, said, errors } = await endingOf("construct");

    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    const { before, constructed } = JSON.parse(said);
    expect(constructed).toEqual(before);
  });
});

describe("a host that starts and stops the plugin, or ticks once", () => {
  it.each(["start", "tick"])("ends by itself too: %s", async (mode) => {
    const { code, errors } = await endingOf(mode);

    expect({ code, errors }).toEqual({ code: 0, errors: "" });
  });
});

describe("a host survives", () => {
  const survives = async (mode: string) => {
    const { code, said, errors } = await endingOf(mode);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    // Knex prints a warning of its own when it is destroyed while somebody waits for a connection.
    const report = JSON.parse(said.trimEnd().split("\n").at(-1) ?? "");
    expect(report.survived).toBe(mode);
    expect(report.stopMs).toBeLessThan(10_000);
    return report;
  };

  it("its own AI failing in every way", async () => {
    expect((await survives("reply")).calls).toBeGreaterThan(10);
  });

  it("its own listener failing in every way", async () => {
    expect((await survives("listener")).calls).toBeGreaterThan(10);
  });

  it("a logger that throws", async () => {
    await survives("logger");
  });

  it("destroying its knex while we work", async () => {
    expect((await survives("knex")).refused).toBe("STORE_UNAVAILABLE");
  });

  it("callbacks of its own that never settle: stop still resolves within ten seconds, and gives all lanes back", async () => {
    await survives("never");

    const rows = async (sql: string) => (await databases.get("never")!.knex.raw(sql)).rows;
    expect(await rows("select 1 from whatsapp_lanes where lease_token is not null")).toEqual([]);
    // Whoever comes next goes on at once.
    expect(await rows("select 1 from whatsapp_lanes where stage = 'turn' and ready_at <= now()")).toHaveLength(5);
  });
});

async function run(program: string, args: readonly string[]): Promise<Ending> {
  const child = spawnNode([program, ...args]);
  let said = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk;
  });
  const tooLong = setTimeout(() => child.kill("SIGKILL"), 40_000);
  const [code] = await once(child, "close");
  clearTimeout(tooLong);
  return { code, said, errors };
}
