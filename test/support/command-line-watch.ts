import * as fs from "node:fs";

/** Notes the command line and environment-free arguments of every process that lives while it watches. */
export function watchCommandLines(intervalMs = 200): { seen(): readonly string[]; stop(): void } {
  const lines = new Set<string>();
  const look = (): void => {
    for (const pid of fs.readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        lines.add(fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" "));
      } catch {
        // The process ended while it was looked at.
      }
    }
  };
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return { seen: () => [...lines], stop: () => clearInterval(timer) };
}
