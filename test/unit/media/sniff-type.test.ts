/** What a file is by its bytes, whatever it is called. */
import { describe, expect, it } from "vitest";
import { HEAD_BYTES, inertType, isSafeInline, sniffType, typeOf } from "../../../plugin/media/sniff-type.ts";
import { POLYGLOTS } from "../../support/polyglots.ts";

const latin = (text: string) => Buffer.from(text, "latin1");
const zip = (...names: readonly string[]) =>
  Buffer.concat(
    names.map((name) => {
      const header = Buffer.alloc(30);
      header.write("PK\u0003\u0004", "latin1");
      header.writeUInt16LE(name.length, 26);
      return Buffer.concat([header, latin(name), Buffer.alloc(50, 7)]);
    }),
  );
const WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const POWERPOINT = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
const OLE = Buffer.from("d0cf11e0a1b11ae1", "hex");

describe("the first bytes", () => {
  it.each<[string, Buffer]>([
    ["image/jpeg", Buffer.from("ffd8ffe000104a464946", "hex")],
    ["image/png", Buffer.from("89504e470d0a1a0a0000000d", "hex")],
    ["image/gif", latin("GIF89a...")],
    ["image/webp", latin("RIFF\u0010\u0000\u0000\u0000WEBPVP8 ")],
    ["image/heic", latin("\u0000\u0000\u0000\u0018ftypheic")],
    ["audio/ogg", latin(`OggS${"\u0000".repeat(24)}OpusHead`)],
    ["audio/x-vorbis+ogg", latin(`OggS${"\u0000".repeat(24)}\u0001vorbis`)],
    ["audio/mpeg", latin("ID3\u0003\u0000")],
    ["audio/mpeg", Buffer.from("fffb9064", "hex")],
    ["audio/aac", Buffer.from("fff15080", "hex")],
    ["audio/amr", latin("#!AMR\n<")],
    ["audio/mp4", latin("\u0000\u0000\u0000\u001cftypM4A ")],
    ["video/mp4", latin("\u0000\u0000\u0000\u0018ftypisom")],
    ["video/mp4", latin("\u0000\u0000\u0000\u0018ftypmp42")],
    ["video/3gpp", latin("\u0000\u0000\u0000\u0018ftyp3gp4")],
    ["video/quicktime", latin("\u0000\u0000\u0000\u0014ftypqt  ")],
    ["application/pdf", latin("%PDF-1.7\n")],
    [WORD, zip("[Content_Types].xml", "_rels/.rels", "word/document.xml")],
    [EXCEL, zip("[Content_Types].xml", "xl/workbook.xml")],
    [POWERPOINT, zip("[Content_Types].xml", "ppt/presentation.xml")],
    ["application/zip", zip("notes/word/one.txt")],
    ["text/plain", Buffer.from("Grüße,\r\n\tname;amount\n")],
    ["text/plain", latin("Gr\u00fc\u00dfe in Latin-1")],
    ["text/plain", latin("<!doctype html><script>alert(1)</script>")],
    ["application/octet-stream", Buffer.from([0, 1, 2, 3])],
    ["application/octet-stream", latin("MZ\u0090\u0000\u0003")],
    ["application/octet-stream", latin("\u0000\u0000\u0000\u0018ftypevil")],
    ["application/octet-stream", Buffer.from("fffe48004900", "hex")],
    ["application/octet-stream", Buffer.alloc(0)],
  ])("say %s", (mime, head) => {
    expect(sniffType(head)).toBe(mime);
    expect(sniffType(Uint8Array.from(head))).toBe(mime);
  });

  it("are enough: what comes later changes nothing", () => {
    const page = Buffer.concat([Buffer.from("ffd8ffe0", "hex"), Buffer.alloc(HEAD_BYTES), latin("<script>")]);

    expect(sniffType(page.subarray(0, HEAD_BYTES))).toBe("image/jpeg");
  });
});

describe("what somebody says of a file", () => {
  it("chooses where the bytes leave it open", () => {
    expect(typeOf(OLE, "application/msword")).toBe("application/msword");
    expect(typeOf(OLE, "Application/VND.ms-excel; charset=x")).toBe("application/vnd.ms-excel");
    expect(typeOf(latin("\u0000\u0000\u0000\u0018ftypmp42"), "audio/mp4")).toBe("audio/mp4");
    expect(typeOf(zip("[Content_Types].xml"), WORD)).toBe(WORD);
  });

  it.each(["text/html", "image/svg+xml", "application/pdf", "video/mp4", "constructor", "", null])(
    "counts for nothing beside: %s",
    (said) => {
      expect(typeOf(OLE, said)).toBe("application/x-ole-storage");
      expect(typeOf(Buffer.from("ffd8ffe0", "hex"), said)).toBe("image/jpeg");
      expect(typeOf(latin("<svg onload=alert(1)>"), said)).toBe("text/plain");
    },
  );
});

describe("what a browser shows by itself", () => {
  it("is pictures, sound and film, and nothing that it would carry out", () => {
    for (const mime of ["image/jpeg", "image/png", "image/webp", "image/gif", "audio/ogg", "audio/mpeg", "video/mp4"])
      expect([mime, isSafeInline(mime)]).toEqual([mime, true]);
    for (const mime of [
      "image/svg+xml",
      "text/html",
      "text/plain",
      "application/pdf",
      "application/zip",
      "image/heic",
      "",
    ])
      expect([mime, isSafeInline(mime)]).toEqual([mime, false]);
  });

  it.each([
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "text/xml",
    "multipart/related",
    "text/javascript",
    "x",
  ])("is never what a row would call %s", (mime) => {
    expect(inertType(mime)).toBe("application/octet-stream");
  });

  it("is none of forty files that are two things at once", () => {
    expect(POLYGLOTS.length).toBeGreaterThanOrEqual(40);
    const active = /html|svg|xml$|script|multipart|flash|message\//;
    for (const { name, bytes, said } of POLYGLOTS) {
      const mime = inertType(typeOf(bytes.subarray(0, HEAD_BYTES), said));
      expect([name, active.test(mime)]).toEqual([name, false]);
    }
  });
});
