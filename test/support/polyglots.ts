/** Files that are two things at once, or not what they are called: what a browser might carry out if it were told to, or guessed. */

export type Polyglot = {
  readonly name: string;
  /** As its sender calls it. */
  readonly filename: string;
  readonly said: string;
  readonly bytes: Buffer;
};

const SCRIPT = "<script>document.title='owned'</script>";
const PAGE = `<!doctype html><html><body>${SCRIPT}</body></html>`;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" onload="document.title='owned'"><script>1</script></svg>`;

const hex = (text: string) => Buffer.from(text, "hex");
const all = (...parts: readonly (string | Buffer)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "utf8") : part)));
const utf16 = (text: string, bom: string) =>
  all(hex(bom), bom === "fffe" ? Buffer.from(text, "utf16le") : Buffer.from(text, "utf16le").swap16());

const JPEG = hex("ffd8ffe000104a46494600010101006000600000");
/** A comment segment, which a picture may have, with whatever in it. */
const jpegWith = (comment: string) => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(comment) + 2);
  return all(JPEG, hex("fffe"), length, comment, hex("ffd9"));
};
const PNG = hex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489");
const OPUS = all("OggS", Buffer.alloc(24), "OpusHead");
const ZIP = all("PK\u0003\u0004", Buffer.alloc(22), hex("0a000000"), "index.html", PAGE);
const MHTML = `MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n${PAGE}\r\n--x--`;

const polyglot = (name: string, filename: string, said: string, ...parts: readonly (string | Buffer)[]): Polyglot => ({
  name,
  filename,
  said,
  bytes: all(...parts),
});

export const POLYGLOTS: readonly Polyglot[] = [
  polyglot("a page that is called a picture", "photo.png", "image/png", PAGE),
  polyglot("a page that is called a page", "index.html", "text/html", PAGE),
  polyglot("a page behind white space", "a.jpg", "image/jpeg", " \n\t\r\n", PAGE),
  polyglot("a page behind a mark of its order", "a.jpg", "image/jpeg", hex("efbbbf"), PAGE),
  polyglot("a page in UTF-16, little end first", "a.txt", "text/plain", utf16(PAGE, "fffe")),
  polyglot("a page in UTF-16, big end first", "a.txt", "text/plain", utf16(PAGE, "feff")),
  polyglot("a page in UTF-7", "a.txt", "text/plain; charset=utf-7", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
  polyglot("a page behind a comment", "a.gif", "image/gif", "<!-- GIF89a -->", PAGE),
  polyglot("a page behind a kilobyte of nothing", "a.txt", "text/plain", " ".repeat(1_024), PAGE),
  polyglot("a page with NULs in it", "a.html", "text/html", PAGE.replaceAll("<", "\u0000<")),
  polyglot(
    "XHTML",
    "a.xhtml",
    "application/xhtml+xml",
    `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">${SCRIPT}</html>`,
  ),
  polyglot("SVG", "drawing.svg", "image/svg+xml", SVG),
  polyglot("SVG that is called a picture", "drawing.png", "image/png", SVG),
  polyglot("SVG behind a declaration", "a.svg", "image/svg+xml", `<?xml version="1.0"?><!DOCTYPE svg>`, SVG),
  polyglot("SVG that is packed", "a.svgz", "image/svg+xml", hex("1f8b0800"), SVG),
  polyglot(
    "XML with a stylesheet",
    "a.xml",
    "text/xml",
    `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="data:text/xml,x"?><a/>`,
  ),
  polyglot(
    "XML that reads files",
    "a.xml",
    "application/xml",
    `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`,
  ),
  polyglot(
    "RSS",
    "feed.rss",
    "application/rss+xml",
    `<?xml version="1.0"?><rss><channel><title>${SCRIPT}</title></channel></rss>`,
  ),
  polyglot(
    "MathML",
    "a.mml",
    "application/mathml+xml",
    `<math><mtext><a xlink:href="javascript:1">x</a></mtext></math>`,
  ),
  polyglot("an archive of pages", "a.mhtml", "multipart/related", MHTML),
  polyglot("an archive of pages that is called a mail", "a.eml", "message/rfc822", `From: x\r\n${MHTML}`),
  polyglot("a picture with a page in its comment", "a.jpg", "text/html", jpegWith(PAGE)),
  polyglot("a picture with a page after its end", "a.jpg", "text/html", jpegWith("x"), PAGE),
  polyglot("a picture with a script in its comment", "a.js", "text/javascript", jpegWith("*/=alert(1)/*")),
  polyglot("a PNG with a page in a chunk", "a.html", "text/html", PNG, hex("0000000074455874"), PAGE),
  polyglot("a GIF that is a script", "a.js", "text/javascript", "GIF89a=1;alert(1);//"),
  polyglot(
    "a GIF that is a script behind a comment",
    "a.js",
    "application/javascript",
    "GIF89a/*",
    hex("0000ff"),
    "*/=1;alert(1)",
  ),
  polyglot("a GIF that is a page", "a.html", "text/html", "GIF89a", PAGE),
  polyglot(
    "a GIF with a Java archive behind it",
    "a.jar",
    "application/java-archive",
    "GIF89a",
    hex("0100010000ff002c"),
    ZIP,
  ),
  polyglot("a WebP that is a page", "a.html", "text/html", "RIFF", hex("ff000000"), "WEBPVP8X", PAGE),
  polyglot("sound with a page in its name", "a.html", "text/html", "ID3", hex("03000000001054495432"), PAGE),
  polyglot("a voice note with a page in it", "a.html", "text/html", OPUS, PAGE),
  polyglot("a film with a page in it", "a.html", "text/html", hex("00000018"), "ftypmp42", PAGE),
  polyglot(
    "a PDF with a script",
    "a.pdf",
    "application/pdf",
    "%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>",
  ),
  polyglot("a PDF that is a page", "a.html", "text/html", "%PDF-1.7\n", PAGE),
  polyglot("a page with a PDF in it", "a.pdf", "application/pdf", PAGE, "%PDF-1.7\n"),
  polyglot("a PDF behind a picture", "a.pdf", "application/pdf", jpegWith("%PDF-1.7"), "%PDF-1.7\n"),
  polyglot("a zip file with a page in it", "a.html", "text/html", ZIP),
  polyglot(
    "a document with macros that is called a page",
    "a.html",
    "text/html",
    "PK\u0003\u0004",
    Buffer.alloc(22),
    hex("0c000000"),
    "word/vba.bin",
    PAGE,
  ),
  polyglot("an old document that is a page", "a.doc", "text/html", hex("d0cf11e0a1b11ae1"), PAGE),
  polyglot("a script", "a.js", "text/javascript", "alert(document.domain)"),
  polyglot("a module for a worker", "sw.js", "application/javascript", "self.addEventListener('fetch', () => {})"),
  polyglot("a style sheet", "a.css", "text/css", "body{background:url(javascript:alert(1))}"),
  polyglot("a component of old browsers", "a.htc", "text/x-component", `<PUBLIC:ATTACH EVENT="onload" ONEVENT="x()"/>`),
  polyglot("an application of HTML", "a.hta", "application/hta", `<hta:application>${SCRIPT}`),
  polyglot("Flash", "a.swf", "application/x-shockwave-flash", "CWS", hex("0a00000000")),
  polyglot("a list of addresses to open", "a.url", "text/uri-list", "[InternetShortcut]\nURL=javascript:alert(1)"),
  polyglot("a calendar with a page", "a.ics", "text/calendar", `BEGIN:VCALENDAR\nX-ALT-DESC;FMTTYPE=text/html:${PAGE}`),
  polyglot("a manifest of a cache", "a.appcache", "text/cache-manifest", "CACHE MANIFEST\nFALLBACK:\n/ /evil"),
  polyglot("a feed that JSON reads as a page", "a.json", "application/json", JSON.stringify({ x: PAGE })),
  polyglot("nothing at all", "a.html", "text/html", ""),
];
