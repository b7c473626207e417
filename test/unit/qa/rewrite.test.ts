/** A recorded delivery where it is replayed: its ids, its numbers and its files are ones that are known there. */
import { expect, it } from "vitest";
import { createRewriter } from "../../../qa/rewrite.ts";

const kept: string[] = [];
const rewriter = (newId: (() => string) | null = null) =>
  createRewriter({
    keepMedia: ({ bytes, mime }) => {
      kept.push(`${mime} ${Buffer.from(bytes).subarray(0, 4).toString("latin1")}`);
      return { id: `file-${kept.length}`, mime_type: mime, sha256: "s", url: "http://here/f" };
    },
    businessIds: new Map([["recorded", "here"]]),
    newId,
  });

it("has a small file of the same type for each of its files, the same for the same", () => {
  const { rewrite } = rewriter();
  const document = {
    id: "4410001",
    mime_type: "application/pdf",
    filename: "a.pdf",
    url: "https://meta/x",
    sha256: "old",
  };

  const first = rewrite({ document });
  expect(first).toEqual({
    document: { id: "file-1", mime_type: "application/pdf", filename: "a.pdf", url: "http://here/f", sha256: "s" },
  });
  expect(rewrite({ document })).toEqual(first);
  expect(rewrite({ image: { id: "4410002", mime_type: "image/png; x=1" } })).toMatchObject({ image: { id: "file-2" } });
  expect(kept).toEqual(["application/pdf %PDF", "image/png; x=1 \u0089PNG"]);
});

it("names the host's number, and what was sent now in place of what was promised; back again for the comparison", () => {
  const { rewrite, sentAs, restore } = rewriter();
  sentAs("wamid.then", "wamid.now");

  const now = rewrite({ phone_number_id: "recorded", context: { id: "wamid.then" }, id: "wamid.other" });
  expect(now).toEqual({ phone_number_id: "here", context: { id: "wamid.now" }, id: "wamid.other" });
  expect(restore(now)).toEqual({ phone_number_id: "recorded", context: { id: "wamid.then" }, id: "wamid.other" });
});

it("makes new ids, each one the same everywhere, for a host that has seen the recorded ones", () => {
  let made = 0;
  const { rewrite, restore } = rewriter(() => `wamid.new${++made}`);

  const now = rewrite([{ id: "wamid.a" }, { id: "wamid.b" }, { reply: "wamid.a", text: "wamid is a word" }]);
  expect(now).toEqual([{ id: "wamid.new1" }, { id: "wamid.new2" }, { reply: "wamid.new1", text: "wamid is a word" }]);
  expect(restore(now)).toEqual([{ id: "wamid.a" }, { id: "wamid.b" }, { reply: "wamid.a", text: "wamid is a word" }]);
});
