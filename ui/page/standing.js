/** Keeps whoever works by keyboard somewhere: what they stood on may be gone once the page is drawn anew. */

export class Standing {
  #host;
  #elsewhere;
  #stood = false;

  /**
   * @param {import("lit").ReactiveControllerHost & HTMLElement} host
   * @param {() => HTMLElement | null} elsewhere where they stand then
   */
  constructor(host, elsewhere) {
    this.#host = host;
    this.#elsewhere = elsewhere;
    host.addController(this);
  }

  hostUpdate() {
    this.#stood = this.#host.contains(focusedBeside(this.#host));
  }

  hostUpdated() {
    if (this.#stood && focusedBeside(this.#host) === null) this.#elsewhere()?.focus({ preventScroll: true });
  }
}

/** What has the focus, in the tree that an element is in. @param {Element} element @returns {Element | null} */
export function focusedBeside(element) {
  return /** @type {ShadowRoot | Document} */ (element.getRootNode()).activeElement ?? null;
}

/** Whether what was stood on has gone; the heading of its view stands in for it. @param {Element} element still there */
export function standsNowhere(element) {
  const focused = focusedBeside(element);
  return focused === null || focused.matches("h1");
}
