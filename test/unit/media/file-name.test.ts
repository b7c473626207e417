/** Names of strangers in a header and on a disk. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentDisposition, safeFileName } from "../../../plugin/media/file-name.ts";

describe("a file's name", () => {
  it.each([
    ["report.pdf", "application/pdf", "report.pdf"],
    ["Rechnung März 2026.pdf", "application/pdf", "Rechnung März 2026.pdf"],
    ["../../etc/passwd", "text/plain", "_.._etc_passwd"],
    ["..\\..\\boot.ini", "text/plain", "_.._boot.ini"],
    ["a\r\nSet-Cookie: b=c.txt", "text/plain", "a__Set-Cookie_ b=c.txt"],
    ["photo\u202egnp.exe", "application/octet-stream", "photo_gnp.exe"],
    ["\u0000\u0001", "text/plain", "file"],
    ["", "image/png", "file.png"],
    ["...", "text/plain", "file"],
    [null, "audio/ogg", "file.ogg"],
    ["pic.html", "image/gif", "pic.html.gif"],
    ["pic.JPEG", "image/jpeg", "pic.JPEG"],
    ["voice", "audio/ogg", "voice.ogg"],
    ["list.csv", "text/plain", "list.csv"],
    [" . a  b . ", "text/plain", "a b"],
    ["\ud800.txt", "text/plain", "_.txt"],
    ["\u2024\u2024\u2215etc", "text/plain", "\u2024\u2024\u2215etc"],
  ])("is made harmless: %j", (given, mime, name) => {
    expect(safeFileName(given, mime)).toBe(name);
  });

  it("has at most 200 bytes, and keeps its ending", () => {
    const name = safeFileName(`${"ü".repeat(500)}.docx`, "application/zip");

    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
    expect(name).toMatch(/^ü+\.docx$/);
  });
});

/** Strict, as RFC 6266 and RFC 8187 have it. */
const HEADER =
  /^(?:inline|attachment); filename="((?:[ !#$&-[\]-~])*)"(?:; filename\*=UTF-8''((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+))?$/;
const ANY_NAME = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string());

describe("Content-Disposition", () => {
  it("is as RFC 6266 has it", () => {
    expect(contentDisposition("inline", "a.png", "image/png")).toBe('inline; filename="a.png"');
    expect(contentDisposition("attachment", "März (2).pdf", "application/pdf")).toBe(
      "attachment; filename=\"Marz (2).pdf\"; filename*=UTF-8''M%C3%A4rz%20%282%29.pdf",
    );
  });

  it("makes no dots and slashes of what only looks like them", () => {
    expect(contentDisposition("attachment", "\u2024\u2024\u2215\u2100", "text/plain")).toContain('filename="____"');
  });

  it("parses whatever the name is, and names a file without a path", () => {
    fc.assert(
      fc.property(ANY_NAME, fc.constantFrom("text/plain", "image/png", "x"), (given, mime) => {
        const header = contentDisposition("attachment", given, mime);
        const [, ascii = "", encoded] = HEADER.exec(header) ?? [header];

        expect(header).toMatch(HEADER);
        const name = encoded === undefined ? ascii : decodeURIComponent(encoded);
        expect(name).toBe(safeFileName(given, mime));
        for (const one of [name, ascii]) {
          expect(one).not.toMatch(/[/\\"\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
          expect(one).not.toMatch(/^\.|^$|[. ]$/);
          expect(Buffer.byteLength(one)).toBeLessThanOrEqual(255);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("changes nothing when a name is made harmless twice", () => {
    fc.assert(
      fc.property(ANY_NAME, (given) => {
        const name = safeFileName(given, "text/plain");
        expect(safeFileName(name, "text/plain")).toBe(name);
      }),
      { numRuns: 2_000 },
    );
  });
});
