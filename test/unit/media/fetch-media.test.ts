/** Fetching a file from Meta: which hosts hear of our token, what is followed, and when it is given up. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createFetchMedia } from "../../../plugin/media/fetch-media.ts";
import { createMediaHosts } from "../../../plugin/media/media-hosts.ts";
import { DEFAULT_MEDIA_BYTES } from "../../../plugin/media/media-limits.ts";
import type { DownloadAnswer, FoundMedia } from "../../../plugin/ports.ts";

const BYTES = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(9_000, 5)]);
const SUM = createHash("sha256").update(BYTES).digest("hex");
const URL_OF_IT = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1";

type Answer = Partial<DownloadAnswer> & { readonly never?: true };

async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

/** Half, and then nothing. */
async function* stalling(): AsyncGenerator<Uint8Array> {
  yield BYTES.subarray(0, 100);
  await new Promise(() => undefined);
}

function fetcher({
  answers = [],
  found = {},
  stallMs = 1_000,
  totalMs = 5_000,
}: {
  answers?: readonly Answer[];
  found?: Partial<FoundMedia>;
  stallMs?: number;
  totalMs?: number;
} = {}) {
  const requests: { readonly href: string; readonly authorization: string | undefined }[] = [];
  const seen = { lookUps: 0, errors: 0, cancelled: 0 };
  const left = [...answers];
  const fetchMedia = createFetchMedia({
    lookUp: async () => {
      seen.lookUps += 1;
      return { url: URL_OF_IT, size: BYTES.length, sha256: SUM, ...found };
    },
    async download({ url, headers, signal }) {
      requests.push({ href: url.href, authorization: headers.authorization });
      const { never, ...answer } = left.shift() ?? {};
      if (never) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
      return {
        status: 200,
        location: null,
        length: null,
        bytes: pieces(BYTES),
        ...answer,
        cancel: () => {
          seen.cancelled += 1;
        },
      };
    },
    hosts: createMediaHosts("https://graph.facebook.com"),
    maxBytes: DEFAULT_MEDIA_BYTES,
    stallMs,
    totalMs,
  });
  const run = async (signal = new AbortController().signal) => {
    const {
      bytes,
      mime,
      seen: count,
    } = await fetchMedia({
      mediaId: "4410001",
      phoneNumberId: "301777000333444",
      accessToken: "EAAtoken",
      kind: "image",
      sha256: null,
      mime: "image/jpeg",
      signal,
      onError: async () => {
        seen.errors += 1;
      },
    });
    for await (const _ of bytes);
    return { mime, ...count() };
  };
  return { run, requests, seen };
}

const redirect = (location: string | null) => ({ status: 302, location });

describe("a file of Meta's", () => {
  it("is fetched from where Graph says, with the token", async () => {
    const { run, requests } = fetcher({ answers: [{ length: BYTES.length }] });

    expect(await run()).toEqual({ mime: "image/jpeg", size: BYTES.length, sha256: SUM, hasSum: true });
    expect(requests).toEqual([{ href: URL_OF_IT, authorization: "Bearer EAAtoken" }]);
  });

  it.each([
    "https://evil-fbsbx.com/x",
    "https://lookaside.fbsbx.com@evil.example/x",
    "https://127.0.0.1/x",
    "https://lookaside.fbsbx.com./x",
    "http://lookaside.fbsbx.com/x",
    "//",
  ])("is not asked for at %s: not a byte is sent", async (url) => {
    const { run, requests } = fetcher({ found: { url } });

    await expect(run()).rejects.toMatchObject({ kind: "gone" });
    expect(requests).toEqual([]);
  });

  it("is followed to Meta's own hosts, without the token", async () => {
    const { run, requests } = fetcher({
      answers: [redirect("https://scontent.fbcdn.net/a"), redirect("/b"), { length: BYTES.length }],
    });

    await run();

    expect(requests).toEqual([
      { href: URL_OF_IT, authorization: "Bearer EAAtoken" },
      { href: "https://scontent.fbcdn.net/a", authorization: undefined },
      { href: "https://scontent.fbcdn.net/b", authorization: undefined },
    ]);
  });

  it.each(["http://127.0.0.1/x", "https://169.254.169.254/latest", "https://evil.example/x", "file:///etc/passwd"])(
    "is not followed to %s",
    async (location) => {
      const { run, requests, seen } = fetcher({ answers: [redirect(location)] });

      await expect(run()).rejects.toMatchObject({ kind: "gone" });
      expect([requests.length, seen.cancelled]).toEqual([1, 1]);
    },
  );

  it("is followed twice at most, and not to nowhere", async () => {
    const around = fetcher({ answers: Array.from({ length: 9 }, () => redirect(URL_OF_IT)) });
    const nowhere = fetcher({ answers: [redirect(null)] });

    await expect(around.run()).rejects.toMatchObject({ kind: "trouble" });
    await expect(nowhere.run()).rejects.toMatchObject({ kind: "trouble" });
    expect([around.requests.length, nowhere.requests.length]).toEqual([3, 1]);
  });

  it("whose address has ended is looked up once more, and only once", async () => {
    const revived = fetcher({ answers: [{ status: 404 }] });
    const gone = fetcher({ answers: [{ status: 404 }, { status: 404 }, { status: 404 }] });

    expect(await revived.run()).toMatchObject({ sha256: SUM });
    await expect(gone.run()).rejects.toMatchObject({ kind: "gone", isMetas: true });
    expect([revived.seen, gone.seen]).toEqual([
      { lookUps: 2, errors: 1, cancelled: 1 },
      { lookUps: 2, errors: 2, cancelled: 2 },
    ]);
  });

  it.each([
    [500, "trouble"],
    [503, "trouble"],
    [429, "trouble"],
    [400, "gone"],
    [451, "gone"],
  ])("that answers %d is %s", async (status, kind) => {
    const { run, seen } = fetcher({ answers: [{ status }] });

    await expect(run()).rejects.toMatchObject({ kind });
    expect(seen).toMatchObject({ lookUps: 1, errors: 1 });
  });

  it("that is too large is not asked for, and cut off where nobody said so", async () => {
    const said = fetcher({ found: { size: DEFAULT_MEDIA_BYTES.image + 1 } });
    const piece = new Uint8Array(1024 * 1024);
    const endless = async function* () {
      for (;;) yield piece;
    };
    const unsaid = fetcher({ found: { size: null, sha256: null }, answers: [{ bytes: endless() }] });

    await expect(said.run()).rejects.toMatchObject({ kind: "gone" });
    expect(said.requests).toEqual([]);
    await expect(unsaid.run()).rejects.toMatchObject({ why: "too large" });
    expect(unsaid.seen.cancelled).toBe(1);
  });

  it("whose bytes stop coming is given up, and its connection ended", async () => {
    const { run, seen } = fetcher({ answers: [{ bytes: stalling() }], stallMs: 30 });

    await expect(run()).rejects.toMatchObject({ kind: "trouble", message: "The bytes have stopped coming." });
    expect(seen.cancelled).toBe(1);
  });

  it("that takes too long altogether is given up, even where it never answers", async () => {
    const trickle = async function* () {
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield BYTES.subarray(0, 1);
      }
    };
    const slow = fetcher({ answers: [{ bytes: trickle() }], found: { size: null }, totalMs: 60 });
    const silent = fetcher({ answers: [{ never: true }], totalMs: 30 });

    for (const { run } of [slow, silent])
      await expect(run()).rejects.toMatchObject({ kind: "trouble", message: "All of it took too long." });
  });

  it("ends when its caller wants no more", async () => {
    const aborter = new AbortController();
    const { run } = fetcher({ answers: [{ never: true }] });
    const running = run(aborter.signal);

    aborter.abort(new Error("stopping"));

    await expect(running).rejects.toThrow("stopping");
  });
});
