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
    this.#stood = this.#host.contains(this.#focused());
  }

  hostUpdated() {
    if (this.#stood && this.#focused() === null) this.#elsewhere()?.focus({ preventScroll: true });
  }

  #focused() {
    return /** @type {ShadowRoot | Document} */ (this.#host.getRootNode()).activeElement ?? null;
  }
}

/**
 * Whether what was stood on in a view has gone; its heading stands in for it.
 * @param {HTMLElement} view
 */
export function standsNowhere(view) {
  const { activeElement } = /** @type {ShadowRoot | Document} */ (view.getRootNode());
  return activeElement === null || activeElement === view.querySelector("h1");
}
