/** F5: Postgres goes away under load and comes back. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { experiment, isFull } from "./support/experiment.ts";
import { message } from "./support/messages.ts";
import { type OwnPostgres, startOwnPostgres } from "./support/own-postgres.ts";
import { expectEnded } from "./support/pass-lines.ts";
import { startStage } from "./support/stage.ts";
import { peopleFrom, startWriting } from "./support/writing.ts";

const AWAY_MS = isFull ? 30_000 : 2_000;
/** Meta waits no longer. */
const PATIENCE_MS = 2_000;
const RECOVERED_MS = 5_000;

let postgres: Promise<OwnPostgres> | undefined;

experiment(
  "F5",
  "while Postgres is away webhooks are answered 503 in time, and everything goes on by itself afterwards",
  { timeoutMs: 300_000, alone: true },
  async (random, onFinished) => {
    postgres ??= startOwnPostgres();
    const server = await postgres;
    const stage = await startStage(random, onFinished, { workers: 2, postgres: server });
    const writing = startWriting(stage, peopleFrom(1, 10), () => pause(40));
    await pause(500 + random() * 500);

    await server.stop();
    const left = Date.now();
    const answered: number[] = [];
    for (let n = 0; Date.now() - left < AWAY_MS; n++) {
      const asked = performance.now();
      expect(await stage.post(message({ person: 99, wamid: `wamid.away${n}`, text: "is anybody there?" }))).toBe(503);
      answered.push(performance.now() - asked);
      await pause(100);
    }
    for (const { url } of stage.workers) expect((await fetch(`${url}/api/whatsapp/health`)).status).toBe(503);
    expectEnded("the slowest 503", Math.max(...answered), PATIENCE_MS);
    // One answer may be late because the machine is; not half of them.
    expect(answered.filter((ms) => ms > PATIENCE_MS).length).toBeLessThan(answered.length / 2 + 1);

    await server.start();
    const back = Date.now();
    await stage.write(98);
    const recovered = Date.now() - back;
    expectEnded("the first 200 after it came back", recovered, RECOVERED_MS);
    await writing.stop();
    await stage.check();
    expect(new Set(stage.answers)).toEqual(new Set([200, 503]));
    console.log(
      `F5: away ${AWAY_MS} ms, ${stage.answers.filter((answer) => answer === 503).length} answers of 503, the slowest ` +
        `after ${Math.max(...answered).toFixed()} ms; the first 200 was ${recovered} ms after it came back`,
    );
  },
);
