/** What a view reads from a route, and where that is: on its way, there, or failed. What is there stays until the new has come. */

/**
 * @template T
 * @typedef {(signal: AbortSignal) => Promise<T>} Read
 */
/** @typedef {import("lit").ReactiveControllerHost} Host */

/** @template T */
export class Reading {
  /** @type {T | null} */
  value = null;
  /** @type {unknown} */
  error = null;
  isLoading = false;
  #life = new AbortController();
  #host;
  #read;

  /**
   * @param {Host} host
   * @param {Read<T>} read
   */
  constructor(host, read) {
    this.#host = host;
    this.#read = read;
    host.addController(this);
  }

  hostConnected() {}

  hostDisconnected() {
    this.#life.abort();
    this.isLoading = false;
  }

  /** @param {{ quietly?: boolean }} [options] quietly: nobody has asked, so a failure leaves what is shown */
  async load({ quietly = false } = {}) {
    this.#life.abort();
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.isLoading = true;
    if (!quietly) {
      this.error = null;
      this.#host.requestUpdate();
    }
    try {
      const value = await this.#read(signal);
      if (signal.aborted) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!quietly || this.value === null) this.error = error;
    }
    this.isLoading = false;
    this.#host.requestUpdate();
  }

  /** Forgets what is there: something else is looked at. */
  reset() {
    this.#life.abort();
    this.value = null;
    this.error = null;
    this.isLoading = false;
  }
}

/** How far down a list is read again when something is new: what lies below stays as it was. */
const MOST_PAGES = 10;

/**
 * A list by pages, newest first.
 * @template {{ readonly id: string }} T
 */
export class Listing {
  /** @type {readonly T[]} */
  items = [];
  /** @type {string | null} */
  next = null;
  isReading = false;
  /** What the last look has brought that was not there before. @type {ReadonlySet<string>} */
  fresh = new Set();
  /** @type {unknown} */
  moreError = null;
  /** As many as are shown. */
  #pages = 1;
  /** Counts the lists that were shown: a page of one before is none of this one. */
  #list = 0;
  /** A page that is added, and a look at all of them, each wait for the other: between them no row gets lost. */
  #adding = Promise.resolve();
  #looking = Promise.resolve();
  #host;
  #page;
  /** @type {Reading<{ items: readonly T[], next: string | null, pages: number }>} */
  #shown;

  /**
   * @param {Host} host
   * @param {(cursor: string | null, signal: AbortSignal | undefined) => Promise<{ items: readonly T[], next: string | null }>} page
   */
  constructor(host, page) {
    this.#host = host;
    this.#page = page;
    this.#shown = new Reading(host, (signal) => this.#read(signal));
  }

  get isLoading() {
    return this.#shown.isLoading;
  }
  get error() {
    return this.#shown.error;
  }
  get isThere() {
    return this.#shown.value !== null;
  }

  /**
   * @param {{ quietly?: boolean, afresh?: boolean, fromTop?: boolean }} [options] afresh: another filter, so what is shown is no part of it;
   * fromTop: much of it is gone, so only the first page is known to be there
   */
  async load({ quietly = false, afresh = false, fromTop = false } = {}) {
    if (afresh) {
      this.#shown.reset();
      this.items = [];
      this.next = null;
      this.fresh = new Set();
      this.moreError = null;
    }
    if (afresh || fromTop) {
      this.#pages = 1;
      this.#list += 1;
    }
    const list = this.#list;
    const adding = afresh || fromTop ? Promise.resolve() : this.#adding;
    const look = adding.then(() => (list === this.#list ? this.#look(quietly) : undefined));
    this.#looking = look;
    await look;
  }

  /** @param {boolean} quietly */
  async #look(quietly) {
    const before = this.#shown.value;
    await this.#shown.load({ quietly });
    const { value } = this.#shown;
    if (value === null || value === before) return;
    const old = this.items;
    const known = new Set(old.map(({ id }) => id));
    const read = new Set(value.items.map(({ id }) => id));
    const last = value.items.findLastIndex(({ id }) => known.has(id));
    // What comes up from below, because something above it is gone, is not new.
    const above = last === -1 ? value.items : value.items.slice(0, last);
    this.fresh = new Set(quietly ? above.flatMap(({ id }) => (known.has(id) ? [] : [id])) : []);
    const below = this.#pages > MOST_PAGES ? old.slice(old.findLastIndex(({ id }) => read.has(id)) + 1) : [];
    if (below.length === 0) {
      this.#pages = value.pages;
      this.next = value.next;
    }
    this.items = [...value.items, ...below];
    this.#host.requestUpdate();
  }

  /** As many pages as are shown: what has changed or gone may stand on any of them. @param {AbortSignal} signal */
  async #read(signal) {
    let { items, next } = await this.#page(null, signal);
    let pages = 1;
    for (; pages < Math.min(this.#pages, MOST_PAGES) && next !== null; pages += 1) {
      const further = await this.#page(next, signal);
      items = withoutTwins([...items, ...further.items]);
      next = further.next;
    }
    return { items, next, pages };
  }

  async more() {
    if (this.next === null || this.isReading) return;
    this.isReading = true;
    this.moreError = null;
    this.#host.requestUpdate();
    const list = this.#list;
    this.#adding = this.#looking.then(() => this.#add(list));
    await this.#adding;
  }

  /** @param {number} list */
  async #add(list) {
    try {
      if (this.next === null || list !== this.#list) return;
      const { items, next } = await this.#page(this.next, undefined);
      if (list !== this.#list) return;
      this.items = withoutTwins([...this.items, ...items]);
      this.next = next;
      this.#pages += 1;
    } catch (error) {
      if (list === this.#list) this.moreError = error;
    } finally {
      this.isReading = false;
      this.#host.requestUpdate();
    }
  }
}

/**
 * A row may have moved from one page to the next meanwhile.
 * @template {{ readonly id: string }} T
 * @param {readonly T[]} items
 * @returns {readonly T[]}
 */
function withoutTwins(items) {
  return [...new Map(items.map((one) => [one.id, one])).values()];
}
