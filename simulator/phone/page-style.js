/** How the phone's page looks around the messages. */
export const PAGE_CSS = `
:root { color-scheme: light dark; --panel: light-dark(#fff, #111b21); --bar: light-dark(#f0f2f5, #202c33); --ink: light-dark(#111b21, #e9edef); --soft: light-dark(#54656f, #a9b7bf); --line: light-dark(#d9dee1, #2b3942); --accent: light-dark(#067a5b, #4ad8ac); --on-accent: light-dark(#fff, #06251c); --bad: light-dark(#a3201a, #ffa69e); --hover: light-dark(#f0f2f5, #1d2a32); --chosen: light-dark(#e5f3ee, #24373a); }
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { background: light-dark(#dfe3e1, #06090b); color: var(--ink); font: 1rem/1.45 "wa-emoji", "Segoe UI", "Helvetica Neue", Helvetica, "Noto Sans", "DejaVu Sans", sans-serif; }
h1, h2, h3, p, ul, dl, dd, fieldset, legend { margin: 0; padding: 0; border: 0; }
h1 { font-size: 1.25rem; } h2 { font-size: 1rem; font-weight: 600; } h3 { font-size: .9375rem; font-weight: 600; }
ul { list-style: none; }
[hidden] { display: none !important; }
.soft { color: var(--soft); font-size: .8125rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
button, input, select, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h2:focus { outline: none; }
.app { display: grid; grid-template-columns: minmax(16rem, 24rem) minmax(0, 1fr); height: 100dvh; max-width: 100rem; margin: 0 auto; overflow: hidden; box-shadow: 0 0 2rem rgb(0 0 0 / .12); }
.app[data-drawer] { grid-template-columns: minmax(15rem, 20rem) minmax(0, 1fr) minmax(18rem, 22rem); }
.side, .main, .drawer { display: flex; flex-direction: column; min-width: 0; min-height: 0; background: var(--panel); }
.side { border-inline-end: 1px solid var(--line); }
.drawer { border-inline-start: 1px solid var(--line); }
.bar { display: flex; align-items: center; gap: .5rem; min-height: 3.75rem; padding: .375rem .75rem; background: var(--bar); border-block-end: 1px solid var(--line); }
.bar h1 { flex: none; } .bar h2 { flex: 1; }
.app-name { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.icon-button { display: grid; place-items: center; flex: none; width: 2.5rem; height: 2.5rem; padding: 0; border: 0; border-radius: 50%; background: none; color: var(--soft); }
.icon-button:hover { background: var(--line); }
.side [data-do=drawer] { display: none; }
.icon-button[data-do=drawer][aria-expanded=true] { color: var(--accent); }
.list { flex: 1; overflow-y: auto; }
.group h2 { padding: .75rem 1rem .25rem; color: var(--accent); font-size: .8125rem; }
.row { display: grid; grid-template: "avatar name time" auto "avatar last badge" auto / auto minmax(0, 1fr) auto; align-items: center; column-gap: .75rem; width: 100%; padding: .625rem 1rem; border: 0; background: none; text-align: start; }
.row:hover { background: var(--hover); } .row[aria-current] { background: var(--chosen); }
.row:focus-visible { outline-offset: -2px; }
.row .wa-avatar { grid-area: avatar; }
.row-name { font-weight: 500; } .row-time { color: var(--soft); font-size: .75rem; white-space: nowrap; }
.row-name, .row-last { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row-last { grid-area: last; color: var(--soft); font-size: .875rem; } .row-last .is-typing { color: var(--accent); } .row-last a { color: inherit; text-decoration: none; pointer-events: none; }
.badge { min-width: 1.375rem; padding: 0 .375rem; border-radius: 1rem; background: var(--accent); color: var(--on-accent); font-size: .75rem; line-height: 1.375rem; text-align: center; }
.wa-avatar { display: grid; place-items: center; flex: none; width: 2.75rem; height: 2.75rem; border-radius: 50%; background: light-dark(#d6e4de, #2f4a44); color: light-dark(#234237, #d9f0e8); font-weight: 600; }
.hue-1 { background: light-dark(#f6dfd3, #54392b); color: light-dark(#6b3113, #f9ddcd); } .hue-2 { background: light-dark(#dcdff5, #383e66); color: light-dark(#2f3778, #dfe2fb); } .hue-3 { background: light-dark(#f5e7c4, #4d4222); color: light-dark(#5c4602, #f6e6b8); }
.who { display: flex; flex: 1; align-items: center; gap: .75rem; min-width: 0; } .who .wa-avatar { width: 2.5rem; height: 2.5rem; }
.names { min-width: 0; } .names > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.main { position: relative; } .main [data-do=back] { display: none; }
.scroll { flex: 1; overflow-y: auto; padding: 1rem clamp(.75rem, 5%, 4rem) !important; background-image: radial-gradient(light-dark(rgb(120 100 70 / .09), rgb(255 255 255 / .022)) 1.5px, transparent 2px); background-size: 1.375rem 1.375rem; }
.scroll > :first-child { margin-top: auto; }
.nothing, .empty { display: grid; flex: 1; place-content: center; justify-items: center; gap: .5rem; padding: 2rem 1.5rem; text-align: center; }
.nothing { background: light-dark(#efeae2, #0b141a); }
.away { padding: .5rem 1rem; background: var(--bad); color: light-dark(#fff, #2b0603); font-size: .875rem; }
.newer { position: absolute; inset-block-end: 5rem; inset-inline: 0; width: fit-content; margin: 0 auto; padding: .375rem 1rem; border: 0; border-radius: 1.5rem; background: var(--accent); color: var(--on-accent); }
.composer { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; align-items: end; gap: .375rem; padding: .5rem .75rem; background: var(--bar); }
.composer textarea { min-height: 2.625rem; padding: .5625rem .875rem; border: 1px solid transparent; border-radius: 1.25rem; background: var(--panel); resize: none; field-sizing: content; max-height: 9rem; }
.composer textarea::placeholder { color: var(--soft); opacity: 1; }
.send { color: var(--accent); }
.about { grid-column: 1 / -1; }
.about { display: flex; align-items: center; gap: .5rem; padding: .25rem .25rem .25rem .75rem; border-inline-start: .25rem solid var(--accent); border-radius: .375rem; background: var(--panel); font-size: .875rem; }
.about > span { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.app > .problem { position: fixed; z-index: 3; inset-block-start: 4.25rem; inset-inline: .75rem; display: flex; align-items: center; gap: .5rem; width: fit-content; max-width: 34rem; margin-inline: auto; padding: .25rem .25rem .25rem 1rem; border: 1px solid var(--bad); border-radius: .75rem; background: var(--panel); color: var(--bad); font-size: .875rem; overflow-wrap: anywhere; box-shadow: 0 .25rem 1rem rgb(0 0 0 / .25); }
.sheet .problem { color: var(--bad); font-size: .875rem; overflow-wrap: anywhere; }
.tool { display: grid; place-items: center; width: 1.75rem; height: 1.75rem; padding: 0; border: 0; border-radius: 50%; background: none; color: var(--wa-soft); opacity: 0; }
.wa-out > .tool { order: -1; }
.wa-message:hover > .tool, .tool:focus-visible { opacity: 1; } @media (hover: none) { .tool { opacity: .8; } }
.dots { display: flex; gap: .25rem; padding: .75rem .875rem; } .dots i { width: .4375rem; height: .4375rem; border-radius: 50%; background: var(--wa-soft); animation: dot 1.2s infinite; } .dots i:nth-child(2) { animation-delay: .2s; } .dots i:nth-child(3) { animation-delay: .4s; }
@keyframes dot { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { .dots i { animation: none; } }
.drawer-body { flex: 1; overflow-y: auto; padding: 0 1rem 1.5rem; }
.drawer section { display: grid; gap: .625rem; padding-block: 1rem; border-block-end: 1px solid var(--line); } .drawer section:last-child { border: 0; }
.steps { display: flex; flex-wrap: wrap; gap: .375rem; }
.chip { padding: .25rem .75rem; border: 1px solid var(--line); border-radius: 1rem; background: none; color: var(--accent); font-size: .875rem; font-weight: 500; } .chip:hover { background: var(--hover); } .drawer section > .chip { justify-self: start; }
.link-button { padding: .125rem .25rem; border: 0; background: none; color: var(--accent); font-size: .875rem; text-decoration: underline; }
.armed { display: grid; gap: .25rem; justify-items: start; } .armed ul { display: grid; gap: .25rem; width: 100%; }
.armed li { display: flex; align-items: center; justify-content: space-between; gap: .5rem; padding: .375rem .625rem; border-radius: .5rem; background: light-dark(#fdeceb, #3a2422); font-size: .875rem; } .armed li .link-button { flex: none; }
.refusals { display: grid; gap: .5rem; font-size: .875rem; overflow-wrap: anywhere; } .refusals .soft { display: block; }
.switches, .nexts { display: grid; gap: .625rem; font-size: .9375rem; line-height: 1.35; } .nexts li { display: flex; justify-content: space-between; align-items: start; gap: .75rem; } .nexts .chip { flex: none; }
.wa-closed { max-width: min(80%, 30rem); }
.switches .soft, .nexts .soft, .check .soft { display: block; }
.check { display: flex; gap: .625rem; align-items: start; } .check input { flex: none; width: 1.25rem; height: 1.25rem; margin: .0625rem 0 0; accent-color: var(--accent); }
.setting { display: flex; align-items: center; justify-content: space-between; gap: .5rem; font-size: .875rem; } .setting span { min-width: 0; overflow-wrap: anywhere; }
select, .field input { min-height: 2.375rem; padding: .25rem .625rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--panel); color: var(--ink); } .setting select { flex: none; min-height: 2rem; }
.main-button:disabled { opacity: .5; cursor: default; }
.main-button { min-height: 2.625rem; padding: 0 1.5rem; border: 0; border-radius: 1.5rem; background: var(--accent); color: var(--on-accent); font-weight: 600; }
.sheet { width: min(26rem, 100% - 2rem); max-height: min(38rem, 100dvh - 2rem); padding: 0; border: 0; border-radius: 1rem; background: var(--panel); color: var(--ink); overflow: hidden; box-shadow: 0 .5rem 2.5rem rgb(0 0 0 / .3); }
.sheet::backdrop { background: rgb(11 20 26 / .55); }
.sheet form { display: flex; flex-direction: column; max-height: inherit; } .sheet header { display: flex; align-items: center; gap: .5rem; padding: .75rem .75rem .25rem 1.25rem; } .sheet header h2 { flex: 1; font-size: 1.125rem; overflow-wrap: anywhere; }
.sheet-body { display: grid; gap: .75rem; padding: .5rem 1.25rem 1.25rem; overflow-y: auto; }
.sheet legend { padding-block: .25rem; color: var(--accent); font-size: .875rem; font-weight: 600; }
.choice { display: flex; align-items: center; gap: .75rem; padding: .5rem 0; border-block-end: 1px solid var(--line); cursor: pointer; } .choice:last-child { border: 0; } .choice-words { display: grid; flex: 1; min-width: 0; overflow-wrap: anywhere; } .choice input { flex: none; width: 1.25rem; height: 1.25rem; accent-color: var(--accent); }
.option { min-height: 2.75rem; padding: .25rem .75rem; border: 0; border-radius: .5rem; background: var(--hover); text-align: start; } .option:hover { background: var(--line); }
.emoji { display: flex; justify-content: space-between; gap: .25rem; } .emoji button { flex: 1; max-width: 2.75rem; aspect-ratio: 1; padding: 0; border: 0; border-radius: 50%; background: var(--hover); font-size: 1.375rem; } .emoji button:hover { background: var(--line); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); gap: .5rem; } .tile { display: grid; justify-items: center; gap: .375rem; padding: .875rem .5rem; border: 0; border-radius: .75rem; background: var(--hover); font-size: .875rem; } .tile .wa-icon { font-size: 1.5rem; color: var(--accent); } .tile:hover { background: var(--line); }
.field { display: grid; gap: .25rem; min-width: 0; font-size: .875rem; } .field input, .field select { width: 100%; font-size: 1rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
.new-person { display: none; gap: .75rem; } form:has(select[name=person] > option[value=""]:checked) .new-person { display: grid; }
.sheet dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .25rem .75rem; font-size: .875rem; } .sheet dt { color: var(--soft); } .sheet dd { overflow-wrap: anywhere; }
.sheet pre { margin: 0; padding: .75rem; max-height: 18rem; overflow: auto; border-radius: .5rem; background: var(--hover); font: .8125rem/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
@media (max-width: 64rem) { .app[data-drawer] { grid-template-columns: minmax(0, 1fr) minmax(18rem, 22rem); } .app[data-drawer] .side { display: none; } }
@media (max-width: 44rem) {
  .app, .app[data-drawer] { grid-template-columns: minmax(0, 1fr); }
  .side, .app[data-drawer] .side { display: none; } .main [data-do=back] { display: grid; }
  .app[data-left=true] .side { display: flex; } .app[data-left=true] .main { display: none; } .app[data-left=true] .side [data-do=drawer] { display: grid; }
  .drawer { position: fixed; inset: 0; z-index: 2; }
  .scroll { padding-inline: .625rem !important; } .scroll .wa-bubble { max-width: min(86%, 26rem); } .scroll .wa-wide > .wa-bubble { width: min(86%, 20.625rem); }
  .sheet { width: 100%; max-width: none; margin: auto 0 0; border-end-start-radius: 0; border-end-end-radius: 0; }
}
`;
