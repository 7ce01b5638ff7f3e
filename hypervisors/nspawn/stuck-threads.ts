import type { Host } from "../../model/host";

/**
 * Threads in an uninterruptible wait, each with its number of context switches, as one text: an equal text later means that none of
 * them has gone on. `undefined` while any other thread of these processes uses a processor. A thread that is frozen sleeps.
 */
export async function stuckThreads(host: Host, pids: readonly number[]): Promise<string | undefined> {
  const lines: string[] = [];
  for (const pid of pids) {
    for (const thread of await host.kernel.listFolders(`/proc/${pid}/task`)) {
      const status = (await host.kernel.read(`/proc/${pid}/task/${thread}/status`)) ?? "";
      const state = /^State:\s+(\S)/m.exec(status)?.[1];
      if (state === "R") return undefined;
      if (state === "D") lines.push(`${thread} ${[...status.matchAll(/ctxt_switches:\s+(\d+)/g)].map(([, n]) => n)}`);
    }
  }
  return lines.sort().join("\n");
}
