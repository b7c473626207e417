/** A file is fetched from the public internet or not at all: names, redirects, endless and broken streams. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { createGuardedFetch, type GuardedFetchOptions } from "../../../plugin/media/guarded-fetch.ts";
import type { Web, WebAnswer } from "../../../plugin/ports.ts";

type Page = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array> | string;
};

type Stub = Web & { readonly asked: string[]; readonly resolved: string[]; open: number };

/** @param names name → the answers of the resolver, one after the other; the last one stays. */
function stubWeb(
  names: Readonly<Record<string, readonly (readonly string[])[]>>,
  pages: Readonly<Record<string, Page>>,
): Stub {
  const counts = new Map<string, number>();
  const web: Stub = {
    asked: [],
    resolved: [],
    open: 0,
    async resolve(hostname) {
      web.resolved.push(hostname);
      const answers = names[hostname] ?? [];
      const n = counts.get(hostname) ?? 0;
      counts.set(hostname, n + 1);
      const found = answers[Math.min(n, answers.length - 1)];
      if (found === undefined) throw Object.assign(new Error("not found"), { code: "ENOTFOUND" });
      return found;
    },
    async get({ url, address, signal }) {
      web.asked.push(`${url.href} at ${address}`);
      if (address.startsWith("198.20.")) throw Object.assign(new Error("unreachable"), { code: "ENETUNREACH" });
      const page = pages[url.href] ?? { status: 404 };
      web.open += 1;
      let isOpen = true;
      const answer: WebAnswer = {
        status: page.status ?? 200,
        header: (name) => page.headers?.[name] ?? null,
        bytes: abortable(page.body ?? "", signal),
        close() {
          if (isOpen) web.open -= 1;
          isOpen = false;
        },
      };
      return answer;
    },
  };
  return web;
}

async function* abortable(body: AsyncIterable<Uint8Array> | string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (typeof body === "string") {
    if (body !== "") yield Buffer.from(body);
    return;
  }
  const iterator = body[Symbol.asyncIterator]();
  const aborted = new Promise<never>((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true }),
  );
  for (;;) {
    const next = await Promise.race([iterator.next(), aborted]);
    if (next.done) return;
    yield next.value;
  }
}

const GOOD = "93.184.216.34";
const SECRET = "https://files.example/a?secret=canary";

function fetchWith(web: Web, options: Partial<GuardedFetchOptions> = {}) {
  return createGuardedFetch({ web, allowLoopback: false, ...options });
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The code it fails with, whenever it does. */
async function failureOf(
  web: Web,
  url: string,
  maxBytes = 100,
  options: Partial<GuardedFetchOptions> = {},
): Promise<string> {
  try {
    const file = await fetchWith(web, options)(url, { maxBytes });
    await textOf(file.bytes);
    return "none";
  } catch (error) {
    expect(String(error)).not.toContain("canary");
    expect(String(error)).not.toContain("files.example");
    return (error as { code?: string }).code ?? String(error);
  }
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a file of somebody's", () => {
  it("is fetched from the address that its name has, under its name", async () => {
    const headers = { "content-type": "Image/PNG; charset=binary", "content-length": "5" };
    const web = stubWeb({ "files.example": [[GOOD]] }, { [SECRET]: { headers, body: "bytes" } });

    const file = await fetchWith(web)(SECRET, { maxBytes: 5 });

    expect(file).toMatchObject({ mime: "image/png", size: 5 });
    expect(await textOf(file.bytes)).toBe("bytes");
    expect(web.asked).toEqual([`${SECRET} at ${GOOD}`]);
    expect(web.open).toBe(0);
  });

  it.each([
    ["127.0.0.1"],
    ["169.254.169.254"],
    ["10.1.2.3"],
    ["100.64.0.1"],
    ["::1"],
    ["::ffff:10.0.0.1"],
    ["::ffff:a9fe:a9fe"],
    ["64:ff9b::a00:1"],
    ["2002:a00:1::1"],
    ["fd00:ec2::254"],
    ["fe80::1"],
    ["0.0.0.0"],
  ])("is not fetched when its name means %s", async (address) => {
    const web = stubWeb({ "files.example": [[address]] }, { [SECRET]: { body: "bytes" } });

    expect(await failureOf(web, SECRET)).toBe("MEDIA_URL_REFUSED");
    expect(web.asked).toEqual([]);
  });

  it("is not fetched when one of several addresses leads inside", async () => {
    for (const pair of [
      [GOOD, "127.0.0.1"],
      ["127.0.0.1", GOOD],
      ["2606:4700::1", "::ffff:10.0.0.1"],
    ]) {
      const web = stubWeb({ "files.example": [pair] }, { [SECRET]: { body: "bytes" } });
      expect(await failureOf(web, SECRET)).toBe("MEDIA_URL_REFUSED");
      expect(web.asked).toEqual([]);
    }
  });

  it("is fetched from the address that was looked at, though the name means another one a moment later", async () => {
    const web = stubWeb({ "files.example": [[GOOD], ["127.0.0.1"]] }, { [SECRET]: { body: "bytes" } });

    expect(await failureOf(web, SECRET)).toBe("none");
    expect(web.asked).toEqual([`${SECRET} at ${GOOD}`]);
    expect(web.resolved).toEqual(["files.example"]);
  });

  it("is not fetched when a redirect's name means another address than before", async () => {
    const again = { status: 302, headers: { location: "https://files.example/b" } };
    const web = stubWeb(
      { "files.example": [[GOOD], ["127.0.0.1"]] },
      { [SECRET]: again, "https://files.example/b": { body: "bytes" } },
    );

    expect(await failureOf(web, SECRET)).toBe("MEDIA_URL_REFUSED");
    expect(web.asked).toHaveLength(1);
    expect(web.open).toBe(0);
  });

  it.each([
    ["http://files.example/a"],
    ["ftp://files.example/a"],
    ["file:///etc/passwd"],
    ["data:image/png;base64,AAAA"],
    ["gopher://files.example/"],
    ["https://user:canary@files.example/a"],
    ["https://user@files.example/a"],
    ["no address"],
    [""],
    ["https://127.0.0.1/a"],
    ["https://127.1/a"],
    ["https://2130706433/a"],
    ["https://0x7f.0.0.1/a"],
    ["https://0177.0.0.1/a"],
    ["https://[::1]/a"],
    ["https://[::ffff:127.0.0.1]/a"],
    ["https://[::ffff:7f00:1]/a"],
    ["https://[64:ff9b::7f00:1]/a"],
    ["https://169.254.169.254/latest/meta-data/"],
    ["http://169.254.169.254/latest/meta-data/"],
    ["https://１２７.0.0.1/a"],
    ["https://127。0。0。1/a"],
  ])("is refused at %s, without a socket", async (url) => {
    const web = stubWeb({ "files.example": [[GOOD]] }, {});

    expect(await failureOf(web, url)).toBe("MEDIA_URL_REFUSED");
    expect(web.asked).toEqual([]);
  });

  it.each([
    ["http://files.example/b"],
    ["https://127.0.0.1/b"],
    ["//169.254.169.254/b"],
    ["https://user:pass@files.example/b"],
    ["https://inside.example/b"],
    ["file:///etc/passwd"],
  ])("is refused when it redirects to %s", async (location) => {
    const web = stubWeb(
      { "files.example": [[GOOD]], "inside.example": [["10.0.0.1"]] },
      { [SECRET]: { status: 302, headers: { location } } },
    );

    expect(await failureOf(web, SECRET)).toBe("MEDIA_URL_REFUSED");
    expect(web.asked).toHaveLength(1);
    expect(web.open).toBe(0);
  });

  it("follows three redirects, relative ones too, and no fourth", async () => {
    const step = (location: string) => ({ status: 307, headers: { location } });
    const pages = {
      "https://files.example/0": step("/1"),
      "https://files.example/1": step("2?x"),
      "https://files.example/2?x": step("https://other.example/3"),
      "https://other.example/3": { body: "bytes" },
    };
    const names = { "files.example": [[GOOD]], "other.example": [["1.1.1.1"]] };

    const file = await fetchWith(stubWeb(names, pages))("https://files.example/0", { maxBytes: 5 });
    expect(await textOf(file.bytes)).toBe("bytes");
    expect(file.url.href).toBe("https://other.example/3");

    const more = { ...pages, "https://other.example/3": step("/4"), "https://other.example/4": { body: "bytes" } };
    expect(await failureOf(stubWeb(names, more), "https://files.example/0")).toBe("MEDIA_FETCH_FAILED");
  });

  it.each([
    ["nothing is at its address", { status: 404 }, "MEDIA_FETCH_FAILED"],
    ["its server has trouble", { status: 500 }, "MEDIA_FETCH_FAILED"],
    ["there is nothing new", { status: 304 }, "MEDIA_FETCH_FAILED"],
    ["it is only a piece", { status: 206, body: "b" }, "MEDIA_FETCH_FAILED"],
    ["it redirects to nowhere", { status: 301 }, "MEDIA_FETCH_FAILED"],
    ["it comes packed", { headers: { "content-encoding": "gzip" }, body: "b" }, "MEDIA_FETCH_FAILED"],
    ["it ends early", { headers: { "content-length": "9" }, body: "bytes" }, "MEDIA_FETCH_FAILED"],
    ["it says that it is too long", { headers: { "content-length": "101" }, body: "b" }, "MEDIA_TOO_LARGE"],
    ["it is too long without saying so", { body: "b".repeat(101) }, "MEDIA_TOO_LARGE"],
    ["it breaks off", { body: broken() }, "MEDIA_FETCH_FAILED"],
  ] as const)("fails when %s", async (_why, page, code) => {
    const web = stubWeb({ "files.example": [[GOOD]] }, { [SECRET]: page });

    expect(await failureOf(web, SECRET)).toBe(code);
    expect(web.open).toBe(0);
  });

  it("fails when its name means nothing", async () => {
    expect(await failureOf(stubWeb({}, {}), SECRET)).toBe("MEDIA_FETCH_FAILED");
  });

  it("comes from another of its addresses when the first cannot be reached", async () => {
    const web = stubWeb({ "files.example": [["198.20.0.1", GOOD]] }, { [SECRET]: { body: "bytes" } });

    expect(await failureOf(web, SECRET)).toBe("none");
    expect(web.asked).toEqual([`${SECRET} at 198.20.0.1`, `${SECRET} at ${GOOD}`]);
  });

  it("is given up when it stalls, and when it never ends", async () => {
    vi.useFakeTimers();
    const stalled = failureOf(
      stubWeb({ "files.example": [[GOOD]] }, { [SECRET]: { body: dripping(() => new Promise(() => {})) } }),
      SECRET,
    );
    await vi.advanceTimersByTimeAsync(14_900);
    await vi.advanceTimersByTimeAsync(200);
    expect(await stalled).toBe("MEDIA_FETCH_FAILED");

    const drip = () => new Promise<void>((resolve) => setTimeout(resolve, 10_000));
    const endless = failureOf(
      stubWeb({ "files.example": [[GOOD]] }, { [SECRET]: { body: dripping(drip) } }),
      SECRET,
      1_000,
    );
    await vi.advanceTimersByTimeAsync(121_000);
    expect(await endless).toBe("MEDIA_FETCH_FAILED");
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
  });

  it("may be read as slowly as its reader likes", async () => {
    vi.useFakeTimers();
    const web = stubWeb({ "files.example": [[GOOD]] }, { [SECRET]: { body: three() } });
    const file = await fetchWith(web)(SECRET, { maxBytes: 10 });
    const read = (async () => {
      let text = "";
      for await (const chunk of file.bytes) {
        text += Buffer.from(chunk).toString();
        await new Promise((resolve) => setTimeout(resolve, 20_000));
      }
      return text;
    })();

    await vi.advanceTimersByTimeAsync(100_000);
    expect(await read).toBe("abc");
  });

  it("is let go of when its reader stops, and when the caller aborts", async () => {
    const web = stubWeb({ "files.example": [[GOOD]] }, { [SECRET]: { body: three() } });
    const file = await fetchWith(web)(SECRET, { maxBytes: 10 });
    for await (const chunk of file.bytes) if (chunk.byteLength > 0) break;
    expect(web.open).toBe(0);

    const aborter = new AbortController();
    const page = { body: dripping(() => new Promise(() => {})) };
    const hanging = await fetchWith(stubWeb({ "files.example": [[GOOD]] }, { [SECRET]: page }))(SECRET, {
      maxBytes: 10,
      signal: aborter.signal,
    });
    const reading = textOf(hanging.bytes);
    aborter.abort(new Error("stopping"));
    await expect(reading).rejects.toThrow("stopping");
  });

  it("may come from this machine in development only", async () => {
    const pages = { "http://localhost:3000/a": { body: "bytes" }, "http://127.0.0.1:3000/a": { body: "bytes" } };
    const names = { localhost: [["127.0.0.1"]], "inside.example": [["10.0.0.1"]], "files.example": [[GOOD]] };
    for (const url of Object.keys(pages)) {
      expect(await failureOf(stubWeb(names, pages), url)).toBe("MEDIA_URL_REFUSED");
      expect(await failureOf(stubWeb(names, pages), url, 100, { allowLoopback: true })).toBe("none");
    }

    for (const url of [
      "http://inside.example/",
      "https://inside.example/",
      "http://files.example/",
      "http://169.254.169.254/",
    ])
      expect(await failureOf(stubWeb(names, {}), url, 100, { allowLoopback: true })).toBe("MEDIA_URL_REFUSED");
  });
});

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("by");
  throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
}

async function* dripping(wait: () => Promise<unknown>): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield Buffer.from("b");
    await wait();
  }
}

async function* three(): AsyncGenerator<Uint8Array> {
  for (const letter of "abc") yield Buffer.from(letter);
}
