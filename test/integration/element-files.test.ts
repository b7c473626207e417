/** The element's files as the router serves them: static, the same for everybody, the same that a browser needs. */
import { readdirSync } from "node:fs";
import { get } from "node:http";
import { gzipSync } from "node:zlib";
import ts from "typescript";
import { beforeAll, expect, test } from "vitest";
import { LIT_FILES } from "../../plugin/http/lit-files.ts";
import { PAGE_FILES, UI_FILES } from "../../plugin/http/ui-routes.ts";
import { startChannel } from "../support/channel.ts";

let url: string;
beforeAll(async () => {
  ({ url } = await startChannel({ start: false, connect: false }));
});

const fetchFile = (file: string, headers: Record<string, string> = {}) => fetch(`${url}/ui/${file}`, { headers });

test("every module of the folder is served, and nothing else", async () => {
  const folder = readdirSync(new URL("../../ui/", import.meta.url)).filter((name) => name.endsWith(".js"));

  expect([...UI_FILES].sort()).toEqual(folder.sort());
  expect((await fetchFile("tsconfig.json")).status).toBe(404);
  expect((await fetchFile("..%2Fpackage.json")).status).toBe(404);
});

test("what a module imports is served beside it", async () => {
  for (const file of UI_FILES) {
    const source = await (await fetchFile(file)).text();
    for (const [, imported] of source.matchAll(/from "\.\/([^"]+)"/g)) expect(UI_FILES).toContain(imported);
  }
});

test("as JavaScript that no browser takes for anything else, and that is asked for again after an upgrade", async () => {
  const { status, headers } = await fetchFile("whatsapp-connect.js");

  expect(status).toBe(200);
  expect(Object.fromEntries(headers)).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "x-content-type-options": "nosniff",
    "cache-control": "public, no-cache",
    vary: "accept-encoding",
  });
  const known = await fetchFile("whatsapp-connect.js", { "if-none-match": `"other", ${headers.get("etag")}` });
  expect([known.status, await known.text()]).toEqual([304, ""]);
  expect((await fetchFile("whatsapp-connect.js", { "if-none-match": '"other"' })).status).toBe(200);
});

test("compressed to 20 kB in all, and as they are to whoever cannot read that", async () => {
  const sizes = await Promise.all(UI_FILES.map((file) => sizeOf(file, "gzip")));
  const plain = await Promise.all(UI_FILES.map((file) => sizeOf(file, "identity")));

  expect(sizes.every(({ encoding }) => encoding === "gzip")).toBe(true);
  expect(plain.every(({ encoding }) => encoding === undefined)).toBe(true);
  expect(sizes.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(20_000);
});

test("the page's modules, all of them and lit's, each with what it imports, and nothing else", async () => {
  const folder = readdirSync(new URL("../../ui/page/", import.meta.url));
  const all = new Set([
    ...UI_FILES,
    ...PAGE_FILES.map((file) => `page/${file}`),
    ...LIT_FILES.map((file) => `lit/${file}`),
  ]);
  const imported = new Set(["page/page.js"]);
  for (const file of imported) {
    const answer = await fetchFile(file);
    const source = await answer.text();
    expect([file, answer.status]).toEqual([file, 200]);
    for (const [, name = ""] of source.matchAll(/(?:\bfrom|(?:^|;)import) ?"([^"]+)"/gm)) {
      // A bare name means nothing to a browser.
      expect([file, name]).toEqual([file, expect.stringMatching(/^\.\.?\//)]);
      imported.add(new URL(name, `https://host.test/${file}`).pathname.slice(1));
    }
  }

  expect([...PAGE_FILES].sort()).toEqual(folder.sort());
  expect([...imported].sort()).toEqual([...all].sort());
  for (const name of ["page/..%2Fapi.js", "page/constructor", "lit/..%2F..%2Fpackage.json", "lit/async-directive.js"])
    expect([name, (await fetchFile(name)).status]).toEqual([name, 404]);
});

test("the page with everything it needs, as it is published, compressed to 75 kB", async () => {
  const files = [...UI_FILES, ...PAGE_FILES.map((file) => `page/${file}`), ...LIT_FILES.map((file) => `lit/${file}`)];
  const sizes = await Promise.all(
    files.map(async (file) => gzipSync(published(await (await fetchFile(file)).text())).byteLength),
  );

  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(75_000);
});

/** The build takes the comments away, a fifth of what is written. */
function published(source: string): string {
  return ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ESNext, removeComments: true } })
    .outputText;
}

test("to a HEAD without a body", async () => {
  const { status, headers } = await fetch(`${url}/ui/style.js`, { method: "HEAD" });

  expect(status).toBe(200);
  expect(Number(headers.get("content-length"))).toBeGreaterThan(500);
});

/** As they travel. */
function sizeOf(
  file: string,
  encoding: string,
): Promise<{ readonly bytes: number; readonly encoding: string | undefined }> {
  return new Promise((resolve, reject) => {
    get(`${url}/ui/${file}`, { headers: { "accept-encoding": encoding } }, (answer) => {
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.byteLength;
      });
      answer.on("end", () => resolve({ bytes, encoding: answer.headers["content-encoding"] }));
    }).on("error", reject);
  });
}
