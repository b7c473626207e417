/** How the element looks: light or dark as its page's `color-scheme` says, themed by custom properties. */
export const STYLE = `
:host {
  --accent: var(--whatsapp-accent, light-dark(#0b7a45, #2fd07a));
  --on-accent: var(--whatsapp-on-accent, light-dark(#fff, #06210f));
  --text: var(--whatsapp-text, light-dark(#16211b, #e9f0ec));
  --muted: var(--whatsapp-muted, light-dark(#56635c, #a3b1a9));
  --surface: var(--whatsapp-surface, light-dark(#fff, #17201b));
  --border: var(--whatsapp-border, light-dark(#d5ddd8, #35423b));
  --danger: var(--whatsapp-danger, light-dark(#b3261e, #ff9b92));
  --warning: var(--whatsapp-warning, light-dark(#8a5300, #f5bd5f));
  --radius: var(--whatsapp-radius, 12px);
  display: block; color: var(--text); font: var(--whatsapp-font, 1rem/1.5 system-ui, sans-serif);
}
:host([hidden]) { display: none }
* { box-sizing: border-box }
h2, h3, p, ul, ol, fieldset, legend { margin: 0; padding: 0; border: 0 }
ul, ol { list-style: none }
h2 { font-size: 1.125rem } h3, legend { font-size: 1rem; font-weight: 600 }
h2:focus, h3:focus, [role]:focus { outline: none }
.card {
  display: grid; gap: 1rem; padding: clamp(1rem, 4vw, 1.5rem); overflow-wrap: anywhere;
  background: var(--surface); border: 1px solid var(--border); border-radius: var(--radius);
}
.body { display: grid; gap: 1rem; min-height: 6.5rem; align-content: start }
.muted, .facts { color: var(--muted); font-size: .875rem }
.notice { padding: .625rem .875rem; border-radius: calc(var(--radius) * .6); border-inline-start: 4px solid var(--tone); background: color-mix(in srgb, var(--tone) 10%, transparent) }
[role=status] { --tone: var(--accent) } [role=alert] { --tone: var(--danger) }
button {
  font: inherit; font-weight: 600; min-height: 2.5rem; padding: .375rem 1rem; color: var(--text); cursor: pointer;
  background: transparent; border: 1px solid var(--border); border-radius: calc(var(--radius) * .6);
}
button:hover { border-color: currentColor }
button.main { color: var(--on-accent); background: var(--accent); border-color: var(--accent) }
button.danger { color: var(--danger) }
button[aria-disabled=true] { opacity: .55; cursor: progress }
button:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.actions { display: flex; flex-wrap: wrap; gap: .5rem }
.number { display: grid; gap: .5rem; padding-block: .875rem; border-block-start: 1px solid var(--border) }
.who { display: flex; flex-wrap: wrap; gap: 0 .75rem } .who b { font-weight: 600 }
.facts { display: flex; flex-wrap: wrap; gap: .125rem 1rem }
.dot::before { content: ""; display: inline-block; width: .625em; height: .625em; margin-inline-end: .4em; border-radius: 50%; background: var(--tone, var(--muted)) }
.good { --tone: var(--accent) } .warn { --tone: var(--warning) } .bad { --tone: var(--danger) }
.warn-text { color: var(--warning) } .bad-text { color: var(--danger) }
.panel { display: grid; gap: .875rem; padding: 1rem; border: 1px solid var(--border); border-radius: calc(var(--radius) * .75) }
.steps { display: grid; gap: .25rem } .steps li { display: flex; gap: .5rem } .steps .later { color: var(--muted) }
/* Drawn, because not every font has a tick. */
.mark { flex: none; position: relative; width: 1.25em; height: 1.5em }
.mark::before { content: ""; position: absolute; inset: .6em .475em; border-radius: 50%; background: currentColor }
.now .mark { color: var(--accent) } .now .mark::before { inset: .45em .325em }
.done .mark { color: var(--accent) }
.done .mark::before { inset: .3em .45em .5em; border: solid; border-width: 0 .15em .15em 0; border-radius: 0; background: none; rotate: 45deg }
.failed .mark { color: var(--danger) }
.failed .mark::before { inset: .675em .2em; border-radius: 0; rotate: 45deg; }
.failed .mark::after { content: ""; position: absolute; inset: .675em .2em; background: currentColor; rotate: -45deg }
.option { display: flex; gap: .75rem; padding-block: .5rem } .options { display: grid; gap: .25rem }
.option input { flex: none; width: 1.25rem; height: 1.25rem; margin: .125rem 0 0; accent-color: var(--accent) }
.field { display: grid; gap: .25rem; justify-items: start }
.field input { font: inherit; width: 9em; min-height: 2.5rem; padding: .25rem .75rem; letter-spacing: .2em; color: inherit; background: transparent; border: 1px solid var(--muted); border-radius: calc(var(--radius) * .6) }
.field input[aria-invalid=true] { border-color: var(--danger) }
.skeleton { height: 1rem; border-radius: 4px; background: color-mix(in srgb, var(--muted) 22%, transparent) }
.skeleton.short { width: 55% } .skeleton.button { width: 11rem; height: 2.5rem }
/* An empty live region stays in the accessibility tree: that is why what comes into it is spoken. */
.unseen, .notice:empty { padding: 0; border: 0; position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
@media (pointer: coarse) { button, .field input { min-height: 2.75rem } .option { padding-block: .75rem } }
@media (prefers-reduced-motion: no-preference) { .skeleton { animation: breathe 1.4s ease-in-out infinite alternate } @keyframes breathe { to { opacity: .45 } } }
@media (forced-colors: active) { .dot::before { background: CanvasText; forced-color-adjust: none } }
`;
