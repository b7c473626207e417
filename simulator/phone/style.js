/** How messages look: light or dark as the `color-scheme` of their page says. */
import { ICONS_CSS } from "./icons.js";

// Some fonts for text have emoji of their own, in black and white: the machine's coloured ones come first, for emoji alone.

/** For every page with messages on it; all of it is inside `.wa-chat` or named `wa-`. */
export const PHONE_CSS = `
@font-face { font-family: "wa-emoji"; src: local("Apple Color Emoji"), local("Segoe UI Emoji"), local("Noto Color Emoji"); unicode-range: U+200D, U+203C, U+2049, U+20E3, U+231A-231B, U+23E9-23F3, U+25FD-25FE, U+2600-27BF, U+2B1B-2B1C, U+2B50, U+2B55, U+FE0F, U+1F000-1FAFF, U+E0020-E007F; }
.wa-chat {
  --wa-ground: light-dark(#efeae2, #0b141a);
  --wa-in: light-dark(#fff, #202c33);
  --wa-out: light-dark(#d9fdd3, #005c4b);
  --wa-ink: light-dark(#111b21, #e9edef);
  --wa-soft: light-dark(#54656f, #a9b7bf);
  --wa-link: light-dark(#02669a, #6cc9f5);
  --wa-accent: light-dark(#067a5b, #4ad8ac);
  --wa-line: light-dark(rgb(17 27 33 / .1), rgb(233 237 239 / .14));
  --wa-shade: light-dark(rgb(17 27 33 / .05), rgb(0 0 0 / .18));
  --wa-read: light-dark(#0a84c1, #53bdeb);
  --wa-bad: light-dark(#a3201a, #ffa69e);
  display: flex; flex-direction: column; gap: .1875rem; padding: .75rem; background: var(--wa-ground); color: var(--wa-ink);
  font: .9063rem/1.4 "wa-emoji", "Segoe UI", "Helvetica Neue", Helvetica, "Noto Sans", "DejaVu Sans", sans-serif;
}
.wa-chat * { box-sizing: border-box; }
.wa-chat p, .wa-chat ul, .wa-chat ol, .wa-chat blockquote { margin: 0; padding: 0; }
.wa-message { position: relative; display: flex; align-items: center; max-width: 100%; }
.wa-message + .wa-in:not(.wa-in + .wa-in), .wa-message + .wa-out:not(.wa-out + .wa-out) { margin-top: .5rem; }
.wa-out { justify-content: flex-end; }
.wa-bubble { position: relative; width: fit-content; min-width: 5rem; max-width: min(80%, 26rem); border-radius: .625rem; background: var(--wa-in); box-shadow: 0 1px .5px rgb(11 20 26 / .13); overflow: clip; }
.wa-out > .wa-bubble { background: var(--wa-out); --wa-soft: light-dark(#4a5c55, #b5d1c9); --wa-link: light-dark(#045a86, #8ad6fa); --wa-accent: light-dark(#056048, #7ef0cb); }
.wa-wide > .wa-bubble { width: min(80%, 20.625rem); }
.wa-text { padding: .375rem .625rem; overflow-wrap: anywhere; white-space: pre-wrap; }
.wa-text p, .wa-text li { unicode-bidi: plaintext; min-height: 1.4em; }
.wa-text ul, .wa-text ol { padding-inline-start: 1.5em; }
.wa-text ol.wa-digits-2 { padding-inline-start: 2.125em; } .wa-text ol.wa-digits-3 { padding-inline-start: 2.75em; }
.wa-text ul { list-style: disc; }
.wa-text ol { list-style: decimal; }
.wa-jumbo { font-size: 2.25rem; line-height: 1.25; }
.wa-text > :is(ul, ol, blockquote):not(:last-child) { margin-bottom: .25em; }
.wa-text blockquote { padding: .0625rem .5rem; border-inline-start: .25rem solid var(--wa-accent); background: var(--wa-shade); border-radius: .1875rem; color: var(--wa-soft); }
.wa-text code { padding: 0 .25em; background: var(--wa-shade); border-radius: .25em; font: .9em/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
.wa-text .wa-mono { padding: 0; background: none; }
.wa-chat a:not(.wa-button, .wa-file) { color: var(--wa-link); }
.wa-header { font-weight: 600; }
.wa-footer, .wa-soft { color: var(--wa-soft); font-size: .8125rem; }
.wa-offer { font-weight: 600; color: var(--wa-accent); }
.wa-note { font-style: italic; color: var(--wa-soft); }
.wa-chat .wa-author { padding: .375rem .625rem 0; color: var(--wa-accent); font-size: .8125rem; font-weight: 600; }
.wa-author + .wa-text { padding-top: 0; }
.wa-chat .wa-meta { position: relative; display: flex; align-items: center; gap: .25rem; width: fit-content; min-height: 0; padding: 0 .625rem .25rem; margin: -.375rem 0 0 auto; color: var(--wa-soft); font-size: .6875rem; line-height: 1.2; }
.wa-chat .wa-meta:empty { display: none; }
.wa-text:not(:has(> blockquote:last-child)) + .wa-meta:not(:empty) { margin-top: -1.25rem; }
.wa-text:has(+ .wa-meta:not(:empty)) { --wa-end: 3.5rem; } .wa-out .wa-text:has(+ .wa-meta:not(:empty)) { --wa-end: 5rem; } .wa-edited .wa-text { --wa-end: 7.75rem !important; }
.wa-bubble > .wa-text > p:last-child::after, .wa-bubble > .wa-text > .wa-lines:last-child > p:last-child::after, .wa-bubble > .wa-text > :is(ul, ol):last-child > li:last-child::after { content: ""; display: inline-block; width: var(--wa-end, 0); height: 1px; }
.wa-text:has(+ .wa-meta:not(:empty)) :is(p, li):last-child:dir(rtl)::after { display: block !important; width: 0 !important; height: 1.125rem !important; }
.wa-text :is(ul, ol):has(> li:dir(rtl)) { padding-inline: 0; } .wa-text li:dir(rtl) { margin-inline-start: 1.5em; }
.wa-picture + .wa-meta:not(:empty) { position: absolute; inset-block-end: .5rem; inset-inline-end: .5rem; margin: 0; padding: .125rem .375rem !important; border-radius: .625rem; background: rgb(11 20 26 / .6); color: #fff; --wa-soft: #fff; --wa-read: #7fd3ff; }
.wa-ticks { position: relative; width: 1.1875rem; height: .75rem; color: var(--wa-soft); }
.wa-ticks::before, .wa-ticks::after { content: ""; position: absolute; left: .1875rem; top: 0; width: .25rem; height: .5625rem; border: solid; border-width: 0 1.5px 1.5px 0; transform: rotate(42deg); }
.wa-ticks::after { left: .5625rem; }
.wa-ticks-sent::after, .wa-ticks-accepted::after { content: none; }
.wa-ticks-accepted { opacity: .5; }
.wa-ticks-read { color: var(--wa-read); }
.wa-quoted { display: grid; margin: .25rem .25rem 0; padding: .25rem .5rem; border-inline-start: .25rem solid var(--wa-accent); border-radius: .375rem; background: var(--wa-shade); font-size: .8125rem; }
.wa-quoted strong { color: var(--wa-accent); }
.wa-quoted span { color: var(--wa-soft); display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; overflow-wrap: anywhere; }
.wa-picture { display: block; width: calc(100% - .375rem); max-height: 20rem; margin: .1875rem; object-fit: cover; border-radius: .4375rem; background: var(--wa-shade); }
.wa-placeholder { display: grid; justify-items: center; align-content: center; gap: .25rem; height: 8.5rem; margin: .1875rem; padding: .5rem; border-radius: .4375rem; background: var(--wa-shade); color: var(--wa-soft); font-size: .8125rem; overflow-wrap: anywhere; }
.wa-placeholder .wa-icon { font-size: 1.75rem; }
.wa-bare > .wa-bubble { background: none; box-shadow: none; min-width: 0; }
.wa-sticker .wa-picture { width: 8.75rem; height: 8.75rem; object-fit: contain; background: none; }
.wa-sticker .wa-placeholder { width: 8.75rem; background: var(--wa-in); }
.wa-audio { display: flex; align-items: center; gap: .5rem; padding: .5rem .625rem; color: var(--wa-accent); }
.wa-audio audio { flex: 1; min-width: 0; height: 2.25rem; }
.wa-play { display: grid; place-items: center; width: 2.25rem; height: 2.25rem; padding: 0; border: 0; border-radius: 50%; background: var(--wa-accent); color: light-dark(#fff, #06251c); cursor: pointer; }
.wa-wave { flex: 1; height: 1.5rem; background: repeating-linear-gradient(90deg, currentColor 0 2px, transparent 2px 6px) center / 100% 40% no-repeat; opacity: .6; }
.wa-file { display: flex; align-items: center; gap: .625rem; margin: .1875rem; padding: .625rem; border-radius: .4375rem; background: var(--wa-shade); color: inherit; text-decoration: none; }
.wa-file-kind { display: grid; place-items: center; width: 2.125rem; height: 2.5rem; border-radius: .25rem; background: var(--wa-accent); color: light-dark(#fff, #06251c); font-size: .625rem; font-weight: 700; }
.wa-file-name { display: grid; min-width: 0; overflow-wrap: anywhere; }
.wa-map { display: grid; place-items: center; height: 7rem; margin: .1875rem; border-radius: .4375rem; color: light-dark(#c62828, #ff8a80); font-size: 1.5rem; background: linear-gradient(35deg, transparent 46%, light-dark(#fff, #3a4a52) 46% 54%, transparent 54%), linear-gradient(-62deg, transparent 40%, light-dark(#fff, #3a4a52) 40% 45%, transparent 45%), linear-gradient(90deg, transparent 72%, light-dark(#bfdcf5, #21465e) 72%), light-dark(#dcead2, #24352f); }
.wa-contact { display: flex; align-items: center; gap: .625rem; padding: .625rem; }
.wa-contact > span:last-child { display: grid; }
.wa-avatar { display: grid; place-items: center; flex: none; width: 2.5rem; height: 2.5rem; border-radius: 50%; background: light-dark(#dfe5e7, #4a5a63); color: light-dark(#3b4a54, #eef2f4); font-weight: 600; }
.wa-button { display: flex; align-items: center; justify-content: center; gap: .375rem; width: 100%; min-height: 2.625rem; padding: .5rem .625rem; border: 0; border-top: 1px solid var(--wa-line); background: none; color: var(--wa-accent); font: inherit; font-weight: 500; text-align: center; text-decoration: none; }
button.wa-button, a.wa-button { cursor: pointer; }
button.wa-button:hover, a.wa-button:hover { background: var(--wa-shade); }
button.wa-button[aria-disabled=true] { opacity: .6; cursor: default; }
.wa-meta + .wa-button { margin-top: .1875rem; }
.wa-cards { display: flex; gap: .375rem; padding: .375rem !important; overflow-x: auto; list-style: none; background: var(--wa-ground); }
.wa-card { flex: none; display: flex; flex-direction: column; width: 11.75rem; border-radius: .625rem; background: var(--wa-in); overflow: clip; }
.wa-card > .wa-text { flex: 1; }
.wa-card .wa-picture, .wa-card .wa-placeholder { height: 7rem; }
.wa-sheet { padding: .375rem .625rem .5rem; border-top: 1px solid var(--wa-line); background: var(--wa-shade); }
.wa-row { display: grid; padding: .25rem 0; }
.wa-system { align-self: center; max-width: 80%; margin: .375rem 0; border-radius: .5rem; background: var(--wa-in); font-size: .8125rem; text-align: center; }
.wa-failed > .wa-bubble { outline: 1px dashed var(--wa-bad); background: var(--wa-ground); }
.wa-failure { padding: 0 .625rem .375rem !important; color: var(--wa-bad); font-size: .75rem; overflow-wrap: anywhere; }
.wa-reactions { position: absolute; z-index: 1; bottom: -1.125rem; inset-inline-start: .75rem; padding: 0 .375rem !important; border: 1px solid var(--wa-line); border-radius: 1rem; background: var(--wa-in); font-size: .9375rem; }
.wa-out .wa-reactions { inset-inline: auto .75rem; }
.wa-message:has(> .wa-reactions) { margin-bottom: 1.25rem; }
.wa-chat :focus-visible { outline: 2px solid var(--wa-accent); outline-offset: -2px; }
${ICONS_CSS}`;
