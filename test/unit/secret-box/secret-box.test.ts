/** Tokens at rest: what was sealed for a row opens there and nowhere else, and errors keep the secret. */
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import fc from "fast-check";
import nacl from "tweetnacl";
import { describe, expect, it } from "vitest";
import { createSecretBox, type TokenKey } from "../../../adapters/secret-box/secret-box.ts";

const CANARY = "EAAcanaryTokenThatMustNeverShow";
const CONTEXT = {
  customerConfigId: "00000000-0000-4000-8000-000000000001",
  rowId: "11111111-0000-4000-8000-000000000001",
  field: "access_token",
};
const REFUSED = expect.objectContaining({ name: "ChannelError", code: "SECRET_UNREADABLE" });

const newKey = (kid: string): TokenKey => ({ kid, key: randomBytes(32) });
const K1 = newKey("k1");
const box = createSecretBox([K1]);

describe("a secret box", () => {
  it("opens what it sealed, whatever the text and the context", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.string(),
        fc.string(),
        fc.string(),
        (secret, tenant, row, field) => {
          const context = { customerConfigId: tenant, rowId: row, field };

          expect(box.open(box.seal(secret, context), context)).toBe(secret);
        },
      ),
    );
  });

  it("never seals twice alike: every nonce is its own", () => {
    const sealed = Array.from({ length: 5_000 }, () => box.seal(CANARY, CONTEXT));

    expect(new Set(sealed.map((one) => one.split(".")[2])).size).toBe(5_000);
    expect(new Set(sealed.map((one) => one.split(".")[3])).size).toBe(5_000);
  });

  it("holds neither secret nor context in the clear", () => {
    const sealed = box.seal(CANARY, CONTEXT);
    const bytes = sealed
      .split(".")
      .map((part) => Buffer.from(part, "base64url").toString("latin1"))
      .join();

    for (const plain of [CANARY, CONTEXT.customerConfigId, CONTEXT.rowId]) {
      expect(sealed).not.toContain(plain);
      expect(bytes).not.toContain(plain);
    }
  });

  it("refuses every swap between the rows, tenants and fields of a table", () => {
    const rows = ["a", "b"].flatMap((customerConfigId) =>
      ["1", "2", "3"].flatMap((rowId) =>
        ["access_token", "pin"].map((field) => ({
          context: { customerConfigId, rowId, field },
          secret: `of ${rowId}`,
        })),
      ),
    );
    const sealed = rows.map(({ context, secret }) => box.seal(secret, context));

    for (const [i, { context, secret }] of rows.entries())
      for (const [j, one] of sealed.entries())
        if (i === j) expect(box.open(one, context)).toBe(secret);
        else expect(() => box.open(one, context)).toThrow(REFUSED);
  });

  it("does not take one context for another that reads the same when run together", () => {
    const sealed = box.seal(CANARY, { customerConfigId: "ab", rowId: "c", field: "x" });

    expect(() => box.open(sealed, { customerConfigId: "a", rowId: "bc", field: "x" })).toThrow(REFUSED);
  });
});

describe("a changed box", () => {
  it("is refused for every single bit of every byte, nonce and box alike", () => {
    const [version, kid, nonce, cipher] = box.seal(CANARY, CONTEXT).split(".") as [string, string, string, string];
    for (const [place, part] of [nonce, cipher].entries()) {
      const bytes = Buffer.from(part, "base64url");
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const text = flipped.toString("base64url");
        const changed = [version, kid, place === 0 ? text : nonce, place === 1 ? text : cipher].join(".");

        expect(() => box.open(changed, CONTEXT)).toThrow(REFUSED);
      }
    }
  });

  it("is refused for every other character in every place, and for every truncation", () => {
    const sealed = box.seal(CANARY, CONTEXT);
    for (let at = 0; at < sealed.length; at += 1) {
      for (const other of ["A", "B", ".", "=", "+", "/", " ", "é"])
        if (other !== sealed[at])
          expect(() => box.open(sealed.slice(0, at) + other + sealed.slice(at + 1), CONTEXT)).toThrow(REFUSED);
      expect(() => box.open(sealed.slice(0, at), CONTEXT)).toThrow(REFUSED);
    }
  });

  it("is refused in any second spelling of base64", () => {
    const [version, kid, nonce, cipher] = box.seal(CANARY, CONTEXT).split(".") as [string, string, string, string];
    const spellings = [
      `${cipher}=`,
      `${cipher}==`,
      `${cipher}\n`,
      ` ${cipher}`,
      `${cipher.slice(0, 9)} ${cipher.slice(9)}`,
      Buffer.from(cipher, "base64url").toString("base64"),
    ];

    for (const spelling of spellings.filter((one) => one !== cipher))
      expect(() => box.open([version, kid, nonce, spelling].join("."), CONTEXT)).toThrow(REFUSED);
  });

  it("is refused with trailing bits that decode to nothing", () => {
    // 41 bytes: the last character carries four bits that no byte uses.
    const bytes = Buffer.concat([Buffer.alloc(40), Buffer.from([0])]).toString("base64url");
    const loose = `${bytes.slice(0, -1)}B`;
    expect(Buffer.from(loose, "base64url")).toEqual(Buffer.from(bytes, "base64url"));

    expect(() => box.open(`v1.k1.${Buffer.alloc(24).toString("base64url")}.${loose}`, CONTEXT)).toThrow(/base64url/);
  });

  it.each(["", ".", "v1", "v1.k1", "v1.k1.a.b.c", "v2.k1.AA.AA", "v1.k1..", "v1..AA.AA", "EAAplainTokenFromBefore"])(
    "is refused when it is no box at all: %j",
    (sealed) => {
      expect(() => box.open(sealed, CONTEXT)).toThrow(REFUSED);
    },
  );
});

describe("keys", () => {
  it("are chosen by id: an unknown one is refused, though the right key is there under another", () => {
    const sealed = box.seal(CANARY, CONTEXT);

    expect(() => createSecretBox([{ kid: "k2", key: K1.key }]).open(sealed, CONTEXT)).toThrow(REFUSED);
    expect(() =>
      createSecretBox([K1, { kid: "k2", key: K1.key }]).open(sealed.replace(".k1.", ".k2."), CONTEXT),
    ).toThrow(REFUSED);
  });

  it("of the same id but with other bytes do not open it", () => {
    expect(() => createSecretBox([newKey("k1")]).open(box.seal(CANARY, CONTEXT), CONTEXT)).toThrow(REFUSED);
  });

  it("rotate: for any sequence of adding, promoting and retiring, every row opens with exactly its own", () => {
    const step = fc.oneof(
      fc.constant("add" as const),
      fc.constant("seal" as const),
      fc.nat(5).map((promote) => ({ promote })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let keys = [newKey("k0")];
        const rows: { sealed: string; kid: string; secret: string }[] = [];
        for (const [i, one] of steps.entries()) {
          if (one === "add") keys = [...keys, newKey(`k${i + 1}`)];
          else if (one === "seal") {
            const secret = `${CANARY}${i}`;
            rows.push({ sealed: createSecretBox(keys).seal(secret, CONTEXT), kid: keys[0]!.kid, secret });
          } else {
            const promoted = keys[one.promote % keys.length]!;
            keys = [promoted, ...keys.filter((key) => key !== promoted)];
          }
        }
        for (const { sealed, kid, secret } of rows) {
          expect(createSecretBox(keys).open(sealed, CONTEXT)).toBe(secret);
          const without = keys.filter((key) => key.kid !== kid);
          if (without.length > 0) expect(() => createSecretBox(without).open(sealed, CONTEXT)).toThrow(REFUSED);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("are needed: without one nothing is constructed", () => {
    expect(() => createSecretBox([])).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("an error", () => {
  it("shows no secret, key or box, however it is looked at", () => {
    const sealed = box.seal(CANARY, CONTEXT);
    const key = Buffer.from(K1.key);
    const failures = [
      () => box.open(sealed, { ...CONTEXT, rowId: "another" }),
      () => box.open(`${sealed.slice(0, -4)}${sealed.endsWith("AAAA") ? "BBBB" : "AAAA"}`, CONTEXT),
      () => createSecretBox([newKey("k1")]).open(sealed, CONTEXT),
      () => createSecretBox([newKey("k2")]).open(sealed, CONTEXT),
      () => box.open(CANARY, CONTEXT),
    ];

    for (const fail of failures) expectNoSecret(fail, [CANARY, sealed, key.toString("hex"), key.toString("base64")]);
  });

  it.each([CANARY, `"${CANARY}"`, "null", "[]", "7", "{}", `{"secret":"${CANARY}"`])(
    "shows none either when the box holds what this version never wrote: %s",
    (plain) => {
      const nonce = randomBytes(nacl.secretbox.nonceLength);
      const cipher = nacl.secretbox(Buffer.from(plain), nonce, K1.key);
      const sealed = `v1.k1.${nonce.toString("base64url")}.${Buffer.from(cipher).toString("base64url")}`;

      expectNoSecret(() => box.open(sealed, CONTEXT), [CANARY, CANARY.slice(0, 8)]);
    },
  );
});

function expectNoSecret(fail: () => unknown, secrets: readonly string[]): void {
  let thrown: unknown;
  try {
    fail();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toEqual(REFUSED);
  const shown = `${thrown} ${inspect(thrown, { depth: 9, showHidden: true })} ${JSON.stringify(thrown)}`;
  for (const secret of secrets) expect(shown).not.toContain(secret);
}
