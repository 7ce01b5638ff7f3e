import * as os from "node:os";
import { Worker } from "node:worker_threads";

/** Busy threads per core. */
const THREADS_PER_CORE = 3;

/** Keeps every core of this host busy until it is stopped or this process ends. */
export function saturateHost(): { stop(): Promise<void> } {
  const count = THREADS_PER_CORE * os.availableParallelism();
  const threads = Array.from({ length: count }, () => new Worker("for (;;);", { eval: true }));
  return {
    async stop() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}
