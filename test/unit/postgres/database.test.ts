/** A transaction whose statements are sent ahead, and whose answers come together. */
import { expect, it } from "vitest";
import { createDatabase } from "../../../adapters/postgres/database.ts";

it("rejects when a statement that nobody waited for has failed, also where the answer to COMMIT comes in the same packet", async () => {
  let fail: (error: Error) => void = () => undefined;
  const failing = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const connection = {
    pipeline: false,
    query({ text }: { readonly text: string }) {
      if (text === "bad") return failing;
      // As the client library does: what came is answered one after the other, before anybody else runs.
      if (text === "commit") fail(new Error("refused"));
      return Promise.resolve({ rows: [] });
    },
  };
  const client = { pool: {}, acquireConnection: async () => connection, releaseConnection: async () => undefined };
  const db = createDatabase({ client } as never, { schema: "public", hostSchema: "public" });
  await expect(db.transaction(async (tx) => tx.send("bad"))).rejects.toThrow("refused");
});
