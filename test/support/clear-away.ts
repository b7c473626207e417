/**
 * What a test's support has begun is ended after each test or file. One process runs many files and loads support once,
 * so hooks of Vitest's in support would know the first file only: they stand in `each-file.ts` and call what is said here.
 */
type Task = () => unknown;

const tasks: Readonly<Record<"test" | "file", Task[]>> = { test: [], file: [] };

/** To be called once by a module: the task runs after every test, also those of other files. */
export function afterEveryTest(task: Task): void {
  tasks.test.push(task);
}

/** As {@link afterEveryTest}, after every file's last test. */
export function afterEveryFile(task: Task): void {
  tasks.file.push(task);
}

/** Last said, first done: who uses a database has gone before it goes. All are done; @throws what the first to fail threw. */
export async function clearAway(after: "test" | "file"): Promise<void> {
  const failures: unknown[] = [];
  for (const task of tasks[after].toReversed()) {
    try {
      await task();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
