import * as os from "node:os";
import { Worker } from "node:worker_threads";

/** Threads that want a core, for each core there is. */
const THREADS_PER_CORE = 3;

/** Keeps every core of this host busy until it is stopped; ends with this process at the latest. */
export function saturateHost(): { stop(): Promise<void> } {
  const count = THREADS_PER_CORE * os.availableParallelism();
  const threads = Array.from({ length: count }, () => new Worker("for (;;);", { eval: true }));
  return {
    async stop() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}
