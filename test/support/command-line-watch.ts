import * as fs from "node:fs";

/** Records the command line of every process that runs while it watches, without its environment. */
export function watchCommandLines(intervalMs = 200): { seen(): readonly string[]; stop(): void } {
  const lines = new Set<string>();
  const look = (): void => {
    for (const pid of fs.readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        lines.add(fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" "));
      } catch {
        // The process ended during the read.
      }
    }
  };
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return { seen: () => [...lines], stop: () => clearInterval(timer) };
}
