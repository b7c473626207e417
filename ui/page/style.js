/** How the page looks: one sheet for all of it, light or dark as the person's system says. The tokens are the element's. */
import { css } from "./lit.js";

const tokens = css`
  :host {
    --accent: var(--whatsapp-accent, light-dark(#0b7a45, #2fd07a));
    --on-accent: var(--whatsapp-on-accent, light-dark(#fff, #06210f));
    --text: var(--whatsapp-text, light-dark(#16211b, #e9f0ec));
    --muted: var(--whatsapp-muted, light-dark(#56635c, #a3b1a9));
    --surface: var(--whatsapp-surface, light-dark(#fff, #17201b));
    --ground: light-dark(#f4f7f5, #0e1411);
    --raised: light-dark(#f4f7f5, #1e2923);
    --border: var(--whatsapp-border, light-dark(#d9e1dc, #2f3b35));
    --good: light-dark(#0b7a45, #4fd98c);
    --warn: var(--whatsapp-warning, light-dark(#8a5300, #f5bd5f));
    --bad: var(--whatsapp-danger, light-dark(#b3261e, #ff9b92));
    --info: light-dark(#0a66a8, #6cc1ff);
    --quiet: var(--muted);
    --radius: var(--whatsapp-radius, 12px);
    --small: 0.875rem;
    --tiny: 0.8125rem;
    display: block; min-height: 100vh; min-height: 100dvh; background: var(--ground); color: var(--text);
    font: var(--whatsapp-font, 1rem/1.5 system-ui, sans-serif); -webkit-text-size-adjust: 100%;
  }
  * { box-sizing: border-box }
  h1, h2, h3, h4, p, ul, ol, dl, dd, fieldset, legend, figure, pre { margin: 0; padding: 0; border: 0; min-width: 0 }
  ul, ol { list-style: none }
  h1 { font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; overflow-wrap: anywhere }
  h2 { font-size: 1.0625rem; line-height: 1.35; font-weight: 650 }
  h3 { font-size: 1rem; font-weight: 600 }
  h1:focus, h2:focus { outline: none }
  a { color: var(--accent) }
  code, pre, .mono { font-family: ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em }
  .icon { flex: none; width: 1.25rem; height: 1.25rem; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
  .muted { color: var(--muted) } .small { font-size: var(--small) }
  .stack { display: grid; gap: 0.75rem; min-width: 0 } .stack.wide { gap: 1.25rem } .stack.tight { gap: 0.375rem }
  .line { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem } .line.apart { justify-content: space-between }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px }
  [hidden] { display: none !important }
`;

const shell = css`
  .skip { position: absolute; inset-inline-start: 0.5rem; inset-block-start: 0.5rem; z-index: 3; padding: 0.5rem 1rem; background: var(--surface); border-radius: 8px }
  .skip:not(:focus) { clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; padding: 0 }
  .shell { display: grid; grid-template-columns: 15rem minmax(0, 1fr); min-height: 100vh; min-height: 100dvh }
  .side { background: var(--surface); border-inline-end: 1px solid var(--border) }
  .held { position: sticky; inset-block-start: 0; max-height: 100dvh; min-height: min(100dvh, 100%); overflow-y: auto; display: flex; flex-direction: column; gap: 1.25rem; padding: 1.25rem 0.75rem }
  .brand { display: flex; align-items: center; gap: 0.625rem; padding-inline: 0.75rem; font-weight: 650; font-size: 1.0625rem; min-height: 2rem }
  .brand .icon { width: 1.75rem; height: 1.75rem; padding: 0.25rem; border-radius: 8px; background: var(--accent); color: var(--on-accent); stroke-width: 1.8 }
  nav ul { display: grid; gap: 2px }
  nav a { display: flex; align-items: center; gap: 0.75rem; min-height: 2.5rem; padding: 0.375rem 0.75rem; border-radius: 8px; color: var(--muted); text-decoration: none; font-weight: 500 }
  nav a:hover { background: var(--raised); color: var(--text) }
  nav a[aria-current] { color: var(--accent); background: color-mix(in srgb, var(--accent) 11%, var(--surface)); font-weight: 600 }
  .pill { margin-inline-start: auto; min-width: 1.375rem; padding: 0 0.4rem; border-radius: 99px; text-align: center; font-size: 0.75rem; line-height: 1.375rem; font-weight: 650; color: var(--surface); background: var(--bad) }
  .live { margin-block-start: auto; display: flex; align-items: center; gap: 0.5rem; padding-inline: 0.75rem; color: var(--muted); font-size: var(--tiny) }
  .live::before { content: ""; width: 0.5rem; height: 0.5rem; border-radius: 50%; background: var(--tone, var(--muted)) }
  .zone { padding-inline: 0.75rem; margin-block-start: -1rem; color: var(--muted); font-size: var(--tiny) }
  .live.live-on { --tone: var(--good) } .live.live-late { --tone: var(--warn) }
  main { padding: 2rem clamp(1rem, 4vw, 2.5rem) 4rem; width: 100%; max-width: 68rem }
  .menu { display: none }
  @media (max-width: 51.99rem) {
    .shell { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto 1fr }
    .side { position: sticky; inset-block-start: 0; z-index: 2; border-inline-end: 0; border-block-end: 1px solid var(--border) }
    .held { position: static; min-height: 0; gap: 0.5rem; padding: 0.375rem 1rem }
    .top { display: flex; align-items: center; justify-content: space-between; gap: 0.75rem }
    .brand { padding-inline: 0 }
    .menu { display: inline-flex; margin-inline-end: -1rem }
    .side:not(.open) nav, .side:not(.open) .live, .side:not(.open) .zone { display: none }
    .live { margin: 0; padding-block: 0.5rem 0 } .zone { margin: 0; padding-block-end: 0.5rem }
    main { padding-block: 1.25rem 3rem }
    nav a { min-height: 2.75rem }
  }
`;

const controls = css`
  button, .button { display: inline-flex; align-items: center; justify-content: center; gap: 0.5rem; min-height: 2.5rem; padding: 0.375rem 1rem; font: inherit; font-weight: 600; font-size: 0.9375rem; color: var(--text); background: var(--surface); border: 1px solid var(--border); border-radius: 8px; cursor: pointer; text-decoration: none }
  button:hover, .button:hover { border-color: var(--muted) }
  button.main, .button.main { color: var(--on-accent); background: var(--accent); border-color: var(--accent) }
  button.main:hover, .button.main:hover { background: color-mix(in srgb, var(--accent) 88%, var(--text)) }
  button.danger { color: var(--bad) }
  button.danger.main { color: var(--surface); background: var(--bad); border-color: var(--bad) }
  button.plain { border-color: transparent; background: none } button.plain:hover { background: var(--raised) }
  button.slim { min-height: 2rem; padding: 0.125rem 0.625rem; font-size: var(--small) }
  button[aria-pressed="true"] { color: var(--accent); border-color: var(--accent) }
  button[aria-disabled="true"] { opacity: 0.55; cursor: default }
  button.main[aria-disabled="true"] { color: var(--muted); background: var(--raised); border-color: var(--border); opacity: 1 }
  .field { display: grid; gap: 0.25rem; align-content: start; min-width: 0 }
  legend { margin-block-end: 0.375rem }
  label, legend, .label { font-size: var(--small); font-weight: 600 }
  .hint { color: var(--muted); font-size: var(--tiny) }
  .wrong { color: var(--bad); font-size: var(--tiny) }
  input:not([type="checkbox"], [type="radio"], [type="file"]), select, textarea { width: 100%; min-height: 2.5rem; padding: 0.375rem 0.75rem; font: inherit; font-size: 0.9375rem; color: inherit; background: var(--surface); border: 1px solid var(--muted); border-radius: 8px }
  select { appearance: none; padding-inline-end: 2rem; background-image: linear-gradient(45deg, transparent 50%, var(--muted) 50%), linear-gradient(135deg, var(--muted) 50%, transparent 50%); background-position: right 1rem center, right 0.625rem center; background-size: 0.375rem 0.375rem; background-repeat: no-repeat }
  textarea { min-height: 8rem; resize: vertical; line-height: 1.5 }
  input[readonly]:not([type="file"]) { border-style: dashed; color: var(--muted) }
  input[aria-invalid="true"], textarea[aria-invalid="true"] { border-color: var(--bad) }
  input[type="checkbox"], input[type="radio"] { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--accent) }
  .filters { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: end }
  .filters > * { flex: 1 1 9rem } .filters > .search { flex: 2 1 19rem }
  @media (pointer: coarse) { button, .button, input:not([type="checkbox"], [type="radio"]), select { min-height: 2.75rem } }
`;

const surfaces = css`
  .view { display: grid; gap: 1.25rem; align-content: start; min-width: 0 }
  .told:empty { position: absolute }
  .head { display: flex; flex-wrap: wrap; gap: 0.75rem 1.5rem; align-items: end; justify-content: space-between }
  .head > div:first-child { flex: 1 1 22rem }
  .head .lead { color: var(--muted); max-width: 44rem; text-wrap: pretty; margin-block-start: 0.25rem }
  .card { display: grid; gap: 1rem; align-content: start; padding: clamp(1rem, 3vw, 1.25rem); background: var(--surface); border: 1px solid var(--border); border-radius: var(--radius); min-width: 0; overflow-wrap: anywhere }
  .card.flush { padding: 0; gap: 0; overflow: clip }
  .bar-head { padding: 0.875rem clamp(0.875rem, 2vw, 1.25rem) 0.625rem } .bar-foot { padding: 0 clamp(0.875rem, 2vw, 1.25rem) 1.25rem }
  .columns { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); align-items: start }
  .columns.even { align-items: stretch } .columns.even > .card { padding: clamp(1rem, 4vw, 1.5rem) } .columns.even > whatsapp-connect::part(card) { height: 100%; align-content: start }
  .columns.aside { grid-template-columns: minmax(0, 1fr) minmax(0, 21rem) }
  @media (max-width: 66rem) { .columns.aside { grid-template-columns: minmax(0, 1fr) } }
  .badge { display: inline-flex; vertical-align: text-bottom; align-items: center; gap: 0.3rem; padding: 0.0625rem 0.5rem 0.0625rem 0.375rem; border-radius: 99px; font-size: var(--tiny); font-weight: 600; white-space: nowrap; color: var(--tone); background: color-mix(in srgb, var(--tone) 12%, transparent) }
  .badge .icon { width: 0.9375rem; height: 0.9375rem; stroke-width: 2 }
  .good { --tone: var(--good) } .warn { --tone: var(--warn) } .bad { --tone: var(--bad) } .info { --tone: var(--info) } .quiet { --tone: var(--quiet) }
  .tone { color: var(--tone) }
  .notice { display: flex; gap: 0.625rem; padding: 0.625rem 0.875rem; border-radius: 8px; background: color-mix(in srgb, var(--tone) 10%, var(--surface)); border: 1px solid color-mix(in srgb, var(--tone) 30%, transparent); overflow-wrap: anywhere }
  .notice > .icon { color: var(--tone); margin-block-start: 0.125rem }
  .blank { display: grid; justify-items: center; gap: 0.625rem; padding: 3rem 1.25rem; text-align: center }
  .blank > .icon { width: 2.5rem; height: 2.5rem; padding: 0.5rem; border-radius: 50%; color: var(--tone, var(--muted)); background: color-mix(in srgb, var(--tone, var(--muted)) 12%, transparent); stroke-width: 1.5 }
  .blank p { max-width: 32rem; color: var(--muted) }
  .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 7.5rem), 1fr)); gap: 0.75rem 1.5rem }
  .facts dt { color: var(--muted); font-size: var(--tiny) } .facts dd { font-weight: 500; overflow-wrap: anywhere } .facts .mono { font-size: 0.9375em }
  .skeleton { height: 1rem; border-radius: 6px; background: color-mix(in srgb, var(--muted) 18%, transparent) }
  .skeleton.short { width: 45% } .skeleton.tall { height: 6rem }
  .bar { position: relative; height: 4px; border-radius: 4px; overflow: hidden; background: color-mix(in srgb, var(--accent) 18%, transparent) }
  .bar::before { content: ""; position: absolute; inset-block: 0; width: 35%; border-radius: inherit; background: var(--accent) }
  @media (prefers-reduced-motion: no-preference) {
    .skeleton { animation: breathe 1.4s ease-in-out infinite alternate }
    .bar::before { animation: along 1.3s ease-in-out infinite }
    .fresh { animation: fresh 2.5s ease-out }
  }
  @keyframes breathe { to { opacity: 0.45 } }
  @keyframes along { from { inset-inline-start: -35% } to { inset-inline-start: 100% } }
  @keyframes fresh { from { background: color-mix(in srgb, var(--accent) 16%, transparent) } }
  dialog { width: min(30rem, calc(100vw - 2rem)); padding: 1.25rem; color: inherit; background: var(--surface); border: 1px solid var(--border); border-radius: var(--radius) }
  dialog::backdrop { background: rgb(0 0 0 / 0.45) }
  pre { overflow: auto; max-height: 32rem; padding: 0.875rem; border-radius: 8px; background: var(--raised); border: 1px solid var(--border); white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.45; tab-size: 2 }
`;

const rows = css`
  .rows > li + li { border-block-start: 1px solid var(--border) }
  .row { display: grid; align-items: center; gap: 0.125rem 0.875rem; width: 100%; min-height: 3.5rem; padding: 0.625rem clamp(0.875rem, 2vw, 1.25rem); border: 0; border-radius: 0; background: none; color: inherit; text-align: start; text-decoration: none; font-weight: 400; font-size: 0.9375rem; justify-content: stretch }
  .row:hover { background: var(--raised) }
  .row:focus-visible { outline-offset: -3px }
  .row[aria-expanded="true"] { background: var(--raised) }
  .row .who { font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0 } .row .what { color: var(--muted); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0 }
  .row .when { color: var(--muted); font-size: var(--tiny); white-space: nowrap; text-align: end }
  .row.message { grid-template-columns: 1.25rem minmax(0, 1fr) 6.75rem 5.5rem } .row > .badge { justify-self: start }
  .row.message > .text { display: grid; min-width: 0 }
  .row.hook { grid-template-columns: minmax(0, 1fr) 12rem 5.5rem } a.row.hook { grid-template-columns: minmax(0, 1fr) 7.5rem 5.5rem }
  .row > .text { display: grid; min-width: 0 }
  @media (max-width: 40rem) {
    .row.message { grid-template-columns: 1.25rem minmax(0, 1fr) auto }
    .row.message .badge { grid-column: 2; justify-self: start; grid-row: 2 }
    .row.message .when { grid-column: 3; grid-row: 1; align-self: start; padding-block-start: 0.25rem }
    .row.hook, a.row.hook { grid-template-columns: minmax(0, 1fr) auto }
    .row.message > .icon { align-self: start; margin-block-start: 0.125rem }
    .row.hook .badge { grid-column: 1; grid-row: 2; justify-self: start; margin-block-start: 0.25rem }
    .row.hook .when { grid-column: 2; grid-row: 1; align-self: start; padding-block-start: 0.125rem }
  }
  .inside { display: grid; gap: 1.25rem; padding: 1rem clamp(0.875rem, 2vw, 1.25rem) 1.5rem; background: var(--raised); overflow-wrap: anywhere }
  .letter { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.25rem 0.875rem; padding: 0.875rem clamp(0.875rem, 2vw, 1.25rem) }
  .letter > input { margin-block-start: 0.125rem }
  .checks li { display: grid; grid-template-columns: 1.5rem minmax(0, 1fr); gap: 0.125rem 0.625rem; padding: 0.75rem clamp(0.875rem, 2vw, 1.25rem) }
  .checks h3 .small, summary .small { font-weight: 400 }
  .checks li > .icon { color: var(--tone); margin-block-start: 0.125rem }
  .checks.inset { border-block-start: 1px solid var(--border); margin: 0 calc(-1 * clamp(1rem, 3vw, 1.25rem)) calc(-1 * clamp(1rem, 3vw, 1.25rem)) }
  .fix { display: block; margin-block-start: 0.375rem; padding: 0.5rem 0.75rem; border-inline-start: 3px solid var(--tone); background: color-mix(in srgb, var(--tone) 8%, transparent); border-radius: 0 8px 8px 0 }
  summary { display: flex; align-items: center; gap: 0.5rem; min-height: 2.75rem; padding: 0.5rem clamp(0.875rem, 2vw, 1.25rem); cursor: pointer; font-weight: 600; list-style: none }
  summary::-webkit-details-marker { display: none }
  summary > .icon:last-child { margin-inline-start: auto; color: var(--muted) }
  details[open] > summary > .icon:last-child { rotate: 180deg }
  .ticks { color: var(--muted); stroke-width: 2 } .ticks.read, .ticks.played { color: light-dark(#0a7cc4, #53bdeb) } .ticks.failed, .ticks.expired { color: var(--bad) } .ticks.unknown { color: var(--warn) }
  .life { display: grid }
  .life li { position: relative; display: grid; grid-template-columns: 1.25rem minmax(5rem, 8rem) minmax(0, 1fr); gap: 0 0.75rem; padding-block: 0.3125rem; align-items: center; font-size: var(--small) }
  .life li::before { content: ""; justify-self: center; width: 0.6875rem; height: 0.6875rem; border-radius: 50%; background: var(--tone, var(--accent)); z-index: 1 }
  .life li:not(:last-child)::after { content: ""; position: absolute; inset-inline-start: calc(0.625rem - 1px); inset-block: 50% -50%; width: 2px; background: var(--border) }
  .life li.to-come::before { background: var(--raised); border: 2px solid var(--border) }
  .life li.to-come { color: var(--muted) }
`;

const chat = css`
  .wall { display: grid; gap: 0.375rem; padding: 1rem; border-radius: 8px; background: light-dark(#efe7dd, #0b1510); min-width: 0; align-content: start }
  .bubble { position: relative; justify-self: start; min-width: 8rem; max-width: min(22rem, 100%); padding: 0.375rem; border-radius: 0 8px 8px 8px; background: light-dark(#fff, #1f2c26); color: light-dark(#111b21, #e9edef); box-shadow: 0 1px 1px rgb(0 0 0 / 0.14); overflow-wrap: anywhere; font-size: 0.9375rem; line-height: 1.45 }
  .bubble.out { justify-self: end; border-radius: 8px 0 8px 8px; background: light-dark(#d9fdd3, #144d37) }
  .bubble > * { padding-inline: 0.3125rem }
  .bubble .header { font-weight: 650 }
  .bubble .media { display: grid; place-items: center; height: 8.5rem; margin-block-end: 0.375rem; border-radius: 6px; color: light-dark(#54656f, #aebac1); background: light-dark(#dfe5e7, #2a3942) }
  .bubble .media .icon { width: 2.5rem; height: 2.5rem }
  .bubble .footer { color: light-dark(#5a6a72, #9fb0b8); font-size: var(--tiny); margin-block-start: 0.25rem }
  .bubble .stamp { display: flex; justify-content: flex-end; align-items: center; gap: 0.25rem; color: light-dark(#5a6a72, #a9bbb2); font-size: 0.75rem }
  .bubble.out .stamp, .bubble.out .footer { color: light-dark(#4a5f4a, #b4cdbf) }
  .bubble .keys { margin: 0.375rem -0.375rem -0.375rem; padding: 0 }
  .bubble .keys li { display: flex; align-items: center; justify-content: center; gap: 0.5rem; min-height: 2.5rem; padding: 0.25rem 0.5rem; color: light-dark(#0077a3, #53bdeb); font-weight: 500; border-block-start: 1px solid light-dark(#e4e7e9, #2f3d44); text-align: center }
  .bubble p { white-space: pre-wrap } .bubble blockquote { margin: 0.125rem 0; padding: 0 0 0 0.5rem; border-inline-start: 3px solid light-dark(#b9c4c9, #56666e) }
  .bubble code { background: light-dark(#f0f2f3, #26342d); padding: 0 0.25rem; border-radius: 4px } .bubble code.mono { padding: 0; background: none }
  .bubble .variable { border-radius: 3px; background: light-dark(#fff1c9, #5a4a12); color: inherit }
  .tiles { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)) }
  .tile { display: grid; grid-template-rows: auto 1fr; padding: 0; overflow: clip; background: var(--surface); border: 1px solid var(--border); border-radius: var(--radius); color: inherit; text-decoration: none; position: relative; overflow-wrap: anywhere }
  .tile .about > a, .tile .about > p:not(.line) { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden }
  .tile:hover { border-color: var(--muted) }
  .tile .wall { border-radius: 0; height: 12.5rem; overflow: hidden; padding: 0.875rem; position: relative }
  .tile .wall::after { content: ""; position: absolute; inset: auto 0 0; height: 2.5rem; background: linear-gradient(transparent, light-dark(#efe7dd, #0b1510)) }
  .tile .about { display: grid; gap: 0.375rem; align-content: start; padding: 0.875rem 1rem 1rem; border-block-start: 1px solid var(--border) }
  .tile a { color: inherit; text-decoration: none; font-weight: 600; overflow-wrap: anywhere }
  .tile a::after { content: ""; position: absolute; inset: 0; border-radius: var(--radius) }
  .tile a:focus-visible { outline: none } .tile:has(a:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px }
  .options { display: grid; gap: 0.5rem } .option { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 0.625rem; align-items: start; font-weight: 500 }
  .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); gap: 0.75rem }
  .keybox { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr)); gap: 0.625rem; padding: 0.75rem; border: 1px solid var(--border); border-radius: 8px; align-items: start }
  .keybox > .line { align-self: end }
  .sticky { position: sticky; inset-block-start: 1.25rem }
  @media (max-width: 66rem) { .sticky { position: static } }
`;

/** Where the colours are the person's own, grounds are gone: lines and the system's colours say the same. */
const contrast = css`
  @media (forced-colors: active) {
    .badge, .notice, .card, .bubble, .pill, .bar, .skeleton { border: 1px solid }
    .bar { height: 6px }
    .bar::before, .live::before, .life li::before { background: CanvasText }
    .life li.to-come::before { background: Canvas }
    .life li::after { background: GrayText }
    select { appearance: auto }
    button[aria-pressed="true"], nav a[aria-current] { forced-color-adjust: none; color: HighlightText; background: Highlight; border-color: Highlight }
    button[aria-disabled="true"], button.main[aria-disabled="true"] { color: GrayText; border-color: GrayText; opacity: 1 }
  }
`;

export const STYLE = [tokens, shell, controls, surfaces, rows, chat, contrast];
