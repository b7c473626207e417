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
  #host;
  #page;
  /** @type {Reading<{ items: readonly T[], next: string | null }>} */
  #first;

  /**
   * @param {Host} host
   * @param {(cursor: string | null, signal: AbortSignal | undefined) => Promise<{ items: readonly T[], next: string | null }>} page
   */
  constructor(host, page) {
    this.#host = host;
    this.#page = page;
    this.#first = new Reading(host, (signal) => page(null, signal));
  }

  get isLoading() {
    return this.#first.isLoading;
  }
  get error() {
    return this.#first.error;
  }
  get isThere() {
    return this.#first.value !== null;
  }

  /**
   * @param {{ quietly?: boolean, afresh?: boolean, fromTop?: boolean }} [options] afresh: another filter, so what is shown is no part of it;
   * fromTop: some of it is gone, so only the first page is known to be there
   */
  async load({ quietly = false, afresh = false, fromTop = false } = {}) {
    const before = this.#first.value;
    if (afresh) {
      this.#first.reset();
      this.items = [];
      this.next = null;
      this.fresh = new Set();
      this.moreError = null;
    }
    if (afresh || fromTop) {
      this.#hasMore = false;
      this.#list += 1;
    }
    await this.#first.load({ quietly });
    const { value } = this.#first;
    if (value === null || value === before) return;
    const known = new Set(this.items.map(({ id }) => id));
    const top = new Set(value.items.map(({ id }) => id));
    this.fresh = quietly ? new Set([...top].filter((id) => !known.has(id))) : new Set();
    // Pages that were asked for stay below; one page alone is what the route says now.
    const below = this.#hasMore ? this.items.filter(({ id }) => !top.has(id)) : [];
    if (!this.#hasMore || below.length === 0) this.next = value.next;
    this.items = [...value.items, ...below];
    this.#host.requestUpdate();
  }

  #hasMore = false;
  /** Counts the lists that were shown: a page of one before is none of this one. */
  #list = 0;

  async more() {
    if (this.next === null || this.isReading) return;
    const list = this.#list;
    this.isReading = true;
    this.moreError = null;
    this.#host.requestUpdate();
    try {
      const { items, next } = await this.#page(this.next, undefined);
      if (list !== this.#list) return;
      const known = new Set(this.items.map(({ id }) => id));
      this.items = [...this.items, ...items.filter(({ id }) => !known.has(id))];
      this.next = next;
      this.#hasMore = true;
    } catch (error) {
      if (list === this.#list) this.moreError = error;
    } finally {
      this.isReading = false;
      this.#host.requestUpdate();
    }
  }
}
