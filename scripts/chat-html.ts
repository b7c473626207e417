/** Messages as a phone would show them, as HTML. A drawing, and no proof of how a given client looks. */
import type { OutboundMessage } from "../plugin/contract.ts";
import { readWhatsApp } from "../plugin/messages/read-whatsapp.ts";

const TAGS: Readonly<Record<string, string>> = {
  "*": "b",
  _: "i",
  "~": "s",
  "`": "code",
  "```": "pre",
  "```\n": "pre",
  "> ": "q",
};

export const CHAT_CSS = `
body { margin: 0; background: #fff; font: 15px/1.35 "Noto Sans", "DejaVu Sans", sans-serif; }
.chat { width: 340px; padding: 10px 10px 6px; background: #efeae2; }
.bubble { background: #fff; border-radius: 8px; margin: 0 30px 4px 0; overflow: hidden; width: fit-content; max-width: 310px; min-width: 60px; }
.buttons { margin-bottom: 4px; } .wide { width: 310px; }
.text { padding: 6px 9px; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.text div { unicode-bidi: plaintext; min-height: 1.35em; }
pre, code { font: 13px/1.35 "DejaVu Sans Mono", monospace; margin: 0; } pre { display: inline; white-space: pre-wrap; }
q { display: block; border-left: 4px solid #06cf9c; background: #f5f6f6; padding: 1px 6px; quotes: none; color: #555; } q::before, q::after { content: ""; }
.media { height: 110px; background: #cfd8dc; color: #54656f; display: grid; place-items: center; font-size: 13px; }
.file { padding: 10px; background: #f5f6f6; } .small { color: #667781; font-size: 13px; }
.button { border-top: 1px solid #e9edef; color: #00a5f4; padding: 8px; text-align: center; }
.row { border-top: 1px solid #e9edef; padding: 6px 10px; }
.cards { display: flex; gap: 6px; margin-bottom: 4px; overflow: hidden; } .card { flex: none; width: 190px; margin: 0; }
.reaction { font-size: 20px; background: #fff; border-radius: 14px; padding: 2px 8px; width: fit-content; margin-bottom: 4px; }
a { color: #027eb5; }`;

export function chatHtml(messages: readonly OutboundMessage[]): string {
  return messages.map(messageHtml).join("");
}

function messageHtml(message: OutboundMessage): string {
  switch (message.kind) {
    case "text":
      return bubble(text(message.text));
    case "image":
    case "video":
      return bubble(picture(message.url ?? "") + text(message.caption ?? ""), "wide");
    case "sticker":
      return `<div class="reaction">🖼️ <span class="small">${escapeHtml(nameOf(message.url ?? ""))}</span></div>`;
    case "audio":
      return bubble('<div class="file">▶ ────●──────── 0:12</div>', "wide");
    case "document":
      return bubble(
        `<div class="file">📄 ${escapeHtml(message.filename ?? "Untitled")}</div>${text(message.caption ?? "")}`,
        "wide",
      );
    case "location":
      return bubble(
        `<div class="media">📍 ${message.latitude}, ${message.longitude}</div>${text([message.name ? `*${message.name}*` : "", message.address ?? ""].filter(Boolean).join("\n"))}`,
        "wide",
      );
    case "reaction":
      return `<div class="reaction">${escapeHtml(message.emoji ?? "–")} <span class="small">on the person's message</span></div>`;
    case "buttons":
    case "link": {
      const header = message.header !== undefined && "media" in message.header ? picture(message.header.url ?? "") : "";
      const buttons =
        message.kind === "link" ? [`↗ ${message.label}`] : message.buttons.map(({ title }) => `↩ ${title}`);
      return bubble(header + text(message.text) + buttons.map(button).join(""), "wide");
    }
    case "list": {
      const rows = message.sections.flatMap((section) => section.rows);
      const sheet = rows.map(
        ({ title, description = "" }) =>
          `<div class="row"><div dir="auto">${escapeHtml(title)}</div><div class="small" dir="auto">${escapeHtml(description)}</div></div>`,
      );
      return (
        bubble(text(message.text) + button(`☰ ${message.button}`), "wide") +
        bubble(`<div class="row small">opens</div>${sheet.join("")}`, "wide")
      );
    }
    case "carousel": {
      const cards = message.cards.map((card) => {
        const buttons = "link" in card ? [`↗ ${card.link.label}`] : card.buttons.map(({ title }) => `↩ ${title}`);
        return `<div class="bubble card">${picture(card.header.url ?? "")}${text(card.text ?? "")}${buttons.map(button).join("")}</div>`;
      });
      return `${bubble(text(message.text))}<div class="cards">${cards.join("")}</div>`;
    }
    default:
      return bubble(text(`[${message.kind}${"name" in message ? ` ${message.name}` : ""}]`));
  }
}

function bubble(inner: string, name = ""): string {
  return `<div class="bubble ${name}">${inner}</div>`;
}

function picture(url: string): string {
  return `<div class="media">🖼️ ${escapeHtml(nameOf(url))}</div>`;
}

function button(label: string): string {
  return `<div class="button" dir="auto">${escapeHtml(label)}</div>`;
}

function nameOf(url: string): string {
  return url.split("/").at(-1) ?? url;
}

/** WhatsApp's marks, taken for what WhatsApp takes them. */
function text(markup: string): string {
  if (markup === "") return "";
  const { wraps, urls } = readWhatsApp(markup);
  const edges = [
    ...wraps.flatMap(({ start, end, open, close }) => {
      const tag = TAGS[open] ?? "span";
      return [
        { at: start, skip: open.length, html: `<${tag}>`, order: start },
        { at: end - close.length, skip: close.length, html: `</${tag}>`, order: -start },
      ];
    }),
    ...urls.flatMap(({ start, end }) => [
      { at: start, skip: 0, html: "<a>", order: start },
      { at: end, skip: 0, html: "</a>", order: -start },
    ]),
  ].sort((a, b) => a.at - b.at || a.order - b.order);
  let html = "";
  let from = 0;
  for (const edge of edges) {
    html += escapeHtml(markup.slice(from, edge.at)) + edge.html;
    from = Math.max(from, edge.at + edge.skip);
  }
  html += escapeHtml(markup.slice(from));
  return `<div class="text" dir="auto">${html.replaceAll("</q>\n", "</q>")}</div>`;
}

function escapeHtml(plain: string): string {
  return plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
