/** Line drawings, 24 units square; each stands beside words, so that none needs a name of its own. */
import { html, svg } from "./lit.js";

/** @type {Readonly<Record<string, ReturnType<typeof svg>>>} */
const SHAPES = {
  brand: svg`<path d="M4 20l1.2-4A8 8 0 1 1 8 18.8z"/><path d="M9 9.2c0 3.2 2.6 5.8 5.8 5.8l.9-1.6-1.9-1-1 .8c-1-.5-1.8-1.3-2.2-2.2l.8-1-1-1.9z"/>`,
  overview: svg`<rect x="4" y="4" width="7" height="9" rx="1.5"/><rect x="13" y="4" width="7" height="5" rx="1.5"/><rect x="4" y="15" width="7" height="5" rx="1.5"/><rect x="13" y="11" width="7" height="9" rx="1.5"/>`,
  health: svg`<path d="M3 12h4l2.5-6 4 12 2.5-6h5"/>`,
  numbers: svg`<rect x="7" y="3" width="10" height="18" rx="2.5"/><path d="M11 17.5h2"/>`,
  messages: svg`<path d="M5 5h14a1.5 1.5 0 0 1 1.5 1.5v8A1.5 1.5 0 0 1 19 16h-7l-4.5 3.5V16H5a1.5 1.5 0 0 1-1.5-1.5v-8A1.5 1.5 0 0 1 5 5z"/><path d="M8 9h8M8 12h5"/>`,
  templates: svg`<rect x="4" y="3.5" width="16" height="17" rx="2"/><path d="M8 8h8M8 12h8M8 16h4"/>`,
  webhooks: svg`<path d="M4 7h13l-3-3M20 17H7l3 3"/>`,
  "dead-letters": svg`<path d="M4 13l2.5-8h11L20 13v5.5a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 18.5z"/><path d="M4 13h5l1 2.5h4l1-2.5h5"/>`,
  menu: svg`<path d="M4 7h16M4 12h16M4 17h16"/>`,
  close: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  in: svg`<path d="M17 7L7 17M7 9v8h8"/>`,
  out: svg`<path d="M7 17L17 7M9 7h8v8"/>`,
  search: svg`<circle cx="11" cy="11" r="6"/><path d="M20 20l-4.5-4.5"/>`,
  good: svg`<circle cx="12" cy="12" r="8.5"/><path d="M8.5 12.2l2.5 2.5 4.5-5"/>`,
  warn: svg`<path d="M12 4l9 16H3z"/><path d="M12 10v4.5M12 17.2v.3"/>`,
  bad: svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5v5.5M12 16.2v.3"/>`,
  quiet: svg`<circle cx="12" cy="12" r="8.5"/><path d="M8.5 12h7"/>`,
  back: svg`<path d="M19 12H5M11 6l-6 6 6 6"/>`,
  again: svg`<path d="M19 8a8 8 0 1 0 1 5"/><path d="M20 4v4.5h-4.5"/>`,
  add: svg`<path d="M12 5v14M5 12h14"/>`,
  expand: svg`<path d="M7 10l5 5 5-5"/>`,
  link: svg`<path d="M14 5h5v5M19 5l-8 8M10 6H6a1 1 0 0 0-1 1v11a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-4"/>`,
  phone: svg`<path d="M6 4h3l1.5 4.5-2 1.5a12 12 0 0 0 5.5 5.5l1.5-2L20 15v3a2 2 0 0 1-2 2A14 14 0 0 1 4 6a2 2 0 0 1 2-2z"/>`,
  reply: svg`<path d="M10 7l-5 5 5 5M5 12h9a5 5 0 0 1 5 5"/>`,
  copy: svg`<rect x="8" y="8" width="11" height="11" rx="2"/><path d="M5 15V6.5A1.5 1.5 0 0 1 6.5 5H15"/>`,
  image: svg`<rect x="4" y="5" width="16" height="14" rx="2"/><path d="M4 16l5-4.5 4 3.5 2.5-2L20 17"/><circle cx="15" cy="9.5" r="1.3"/>`,
  video: svg`<rect x="4" y="6" width="16" height="12" rx="2"/><path d="M10.5 9.5v5l4-2.5z"/>`,
  document: svg`<path d="M7 3.5h7l4 4V20a.5.5 0 0 1-.5.5h-10.500A.5.5 0 0 1 6.500 20V4a.5.5 0 0 1 .5-.5z"/><path d="M14 3.500V8h4M9 12h6M9 15h6"/>`,
  location: svg`<path d="M12 21c4.500-5 6.500-8.200 6.500-11a6.500 6.500 0 1 0-13 0c0 2.800 2 6 6.500 11z"/><circle cx="12" cy="10" r="2.300"/>`,
};

/** @param {string} name */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${SHAPES[name] ?? SHAPES.quiet}</svg>`;
}

/**
 * The ticks as on the phone: one, two, two in blue.
 * @param {string} state of a message that we sent
 */
export function ticks(state) {
  const one = svg`<path d="M3 12.500l4 4 8-9"/>`;
  const two = svg`<path d="M3 12.500l4 4 8-9M10.500 15.500l1 1 8-9"/>`;
  const clock = svg`<circle cx="12" cy="12" r="7.500"/><path d="M12 8v4.500l3 1.500"/>`;
  const shape =
    state === "accepted" || state === "sent"
      ? one
      : ["delivered", "read", "played"].includes(state)
        ? two
        : state === "failed" || state === "expired"
          ? SHAPES.bad
          : state === "unknown"
            ? SHAPES.warn
            : clock;
  return html`<svg class="icon ticks ${state}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${shape}</svg>`;
}
