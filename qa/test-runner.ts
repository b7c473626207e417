/** What the suites need of a test runner: vitest has it, and so have jest's globals. No runner is imported here. */

/** Only what is used, so that every runner's own types fit. */
export type Expectation = {
  toBe(value: unknown): void;
  toEqual(value: unknown): void;
  toContain(item: unknown): void;
  toMatch(pattern: RegExp): void;
  toMatchObject(value: object): void;
  toHaveLength(length: number): void;
  toBeGreaterThan(value: number): void;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the runner takes.
  readonly rejects: { toThrow(value: any): Promise<unknown> };
};

/** Vitest, or Jest's globals: whatever has these four. */
export type TestRunner = {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
  readonly afterEach: (body: () => Promise<void>) => unknown;
  readonly expect: ((value: unknown) => Expectation) & {
    // biome-ignore lint/suspicious/noExplicitAny: a matcher stands for whatever it matches.
    any(type: unknown): any;
    // biome-ignore lint/suspicious/noExplicitAny: the same.
    stringMatching(pattern: RegExp): any;
    // biome-ignore lint/suspicious/noExplicitAny: the same.
    objectContaining(value: object): any;
  };
};
