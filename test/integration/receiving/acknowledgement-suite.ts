/** 200 means stored: it follows the commit, and without a commit there is none. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import knexFactory, { type Knex } from "knex";
import { describe, expect, it, onTestFinished } from "vitest";
import { startChannel } from "../../support/channel.ts";
import { post, request, stored } from "./deliveries.ts";
import { allowCommits, failCommits, holdCommits } from "./hold-commits.ts";
import type { Receiver } from "./receiver.ts";

export function describeAcknowledgement(receiver: Receiver): void {
  describe("the acknowledgement", () => {
    it("waits for the commit: none while it hangs, 200 once it is done", async () => {
      const bytes = receiver.fresh();
      const commits = await holdCommits(receiver.channel);
      let isAnswered = false;

      const answer = post(receiver.channel, bytes).finally(() => {
        isAnswered = true;
      });
      await commits.waiting();
      // A round trip through the same server: had it answered without the commit, the answer would be here by now.
      await request("GET", `${receiver.channel.url}/health`, {});

      expect(isAnswered).toBe(false);
      expect(await stored(receiver.channel)).toEqual([]);
      await commits.release();
      expect(await answer).toMatchObject({ status: 200 });
      expect(await stored(receiver.channel)).toHaveLength(1);
    });

    it("is not given when the connection dies in the commit, and the next try is stored", async () => {
      const bytes = receiver.fresh();
      const commits = await holdCommits(receiver.channel);

      const answer = post(receiver.channel, bytes);
      await receiver.channel.rows("select pg_terminate_backend(?)", [await commits.waiting()]);

      expect(await answer).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
      await commits.release();
      expect(await stored(receiver.channel)).toEqual([]);
      expect(await post(receiver.channel, bytes)).toMatchObject({ status: 200 });
      expect(await stored(receiver.channel)).toHaveLength(1);
    });

    it.each([
      ["53100", "the disk is full", 503],
      ["40001", "another transaction got in the way", 503],
      ["P0001", "a trigger of the host's refuses it", 500],
    ])("is not given when the commit fails with %s: %s", async (sqlState, _why, status) => {
      const bytes = receiver.fresh();
      await failCommits(receiver.channel, sqlState);

      const answer = await post(receiver.channel, bytes);
      await allowCommits(receiver.channel);

      expect(answer.status).toBe(status);
      expect(await stored(receiver.channel)).toEqual([]);
      expect(await post(receiver.channel, bytes)).toMatchObject({ status: 200 });
    });
  });

  describe("while Postgres is away", () => {
    const UNAVAILABLE = {
      status: 503,
      headers: { "retry-after": "5", "content-type": "application/json; charset=utf-8" },
    };

    it.each<[string, () => Promise<Knex>]>([
      ["nothing listens at its address", () => knexOn(closedPort())],
      ["its address takes connections and stays silent", () => knexOn(silentPort())],
      ["the host has destroyed its pool", destroyedKnex],
    ])("a delivery gets 503 within two seconds: %s", { retry: 2 }, async (_name, broken) => {
      const knex = await broken();
      const { database } = receiver.channel;
      const channel = await startChannel({ plugin: { knex }, database, connect: false, start: false });
      const startedAt = performance.now();

      const answer = await post(channel, receiver.fresh());

      expect(answer).toMatchObject(UNAVAILABLE);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "STORE_UNAVAILABLE" } });
      expect(await stored(receiver.channel)).toEqual([]);
    });

    it("a delivery gets 503 within two seconds when all connections are busy, and is stored after that", {
      retry: 2,
    }, async () => {
      const { database } = receiver.channel;
      const knex = database.connect({ min: 0, max: 1 });
      const channel = await startChannel({ plugin: { knex }, database, connect: false, start: false });
      const busy = await knex.client.acquireConnection();
      const bytes = receiver.fresh();
      const startedAt = performance.now();

      expect(await post(channel, bytes)).toMatchObject(UNAVAILABLE);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      await knex.client.releaseConnection(busy);

      expect(await post(channel, bytes)).toMatchObject({ status: 200 });
      expect(await stored(receiver.channel)).toHaveLength(1);
    });
  });
}

/** Knex prints what it also throws. */
const SILENT = { error: () => {}, warn: () => {} };

async function knexOn(port: Promise<number>): Promise<Knex> {
  const connection = { host: "127.0.0.1", port: await port, user: "nobody", database: "nothing" };
  const knex = knexFactory({ client: "pg", connection, pool: { min: 0, max: 2 }, log: SILENT });
  onTestFinished(() => knex.destroy());
  return knex;
}

async function destroyedKnex(): Promise<Knex> {
  const knex = knexFactory({ client: "pg", connection: { host: "127.0.0.1" } });
  await knex.destroy();
  return knex;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function silentPort(): Promise<number> {
  const server = createServer((socket) => void onTestFinished(() => void socket.destroy())).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
