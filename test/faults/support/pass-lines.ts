/** Pass lines in milliseconds: what a timeout of ours ends is held to always, what takes as long as the machine takes by hand. */
import { expect } from "vitest";
import { isFull } from "./experiment.ts";

/** As `npm run bench turns` says it: 1 is the machine that the lines were drawn on, 0.5 is half as fast. */
const SPEED = Number(process.env.FAULT_SPEED ?? 1);

/** Beside other tests, on cores that all of them share, an end that was due is heard of so much later. */
const LOADED_MS = 10_000;

/** A line as it is on this machine when nothing else runs. */
export function onThisMachine(lineMs: number): number {
  return lineMs / SPEED;
}

/** For what a timeout of ours ends, whatever the machine: within the line in full size, and soon after it in `npm test`. */
export function expectEnded(what: string, tookMs: number, lineMs: number): void {
  expect(tookMs, `${what}, in ms`).toBeLessThanOrEqual(isFull ? onThisMachine(lineMs) : lineMs + LOADED_MS);
}

/** For what is as fast as the machine is: in full size, where nothing else runs. */
export function expectFast(what: string, tookMs: number, lineMs: number): void {
  if (isFull) expect(tookMs, `${what}, in ms`).toBeLessThanOrEqual(onThisMachine(lineMs));
}
