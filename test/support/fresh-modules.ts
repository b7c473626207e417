/**
 * A worker runs one test file after another, so that Node, its heap and what is installed are loaded once; our own modules begin anew with
 * each file, state, hooks and all.
 */
import { vi } from "vitest";

vi.resetModules();
