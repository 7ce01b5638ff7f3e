import * as fs from "node:fs";

/** A new process has its parent's command line until it runs its own program. */
const SIGHTS = 3;

/**
 * Records the command line of every process that runs while it watches, without its environment. It reads each process a few times
 * only: a lab has many hundreds, and reading all of them each time would cost a tenth of a processor.
 */
export function watchCommandLines(intervalMs = 200): { seen(): readonly string[]; stop(): void } {
  const lines = new Set<string>();
  let sights: ReadonlyMap<string, number> = new Map();
  const look = (): void => {
    const now = new Map<string, number>();
    for (const pid of fs.readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const before = sights.get(pid) ?? 0;
      now.set(pid, before + 1);
      if (before < SIGHTS) record(pid);
    }
    sights = now;
  };
  const record = (pid: string): void => {
    try {
      lines.add(fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" "));
    } catch {
      // The process ended during the read.
    }
  };
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return { seen: () => [...lines], stop: () => clearInterval(timer) };
}
