import * as fs from "node:fs";

/** Start time of a running process; `undefined` if it has ended, also as a zombie. */
export function processStartTime(pid: number): string | undefined {
  const fields = processStat(pid);
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** Fields of `/proc/<pid>/stat` from the third (state) on; the second can contain spaces and parentheses. */
function processStat(pid: number): readonly string[] | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** Whether a process with this pid runs, on any platform. It can be another process with a reused pid. */
export function isProcessAlive(pid: number): boolean {
  const fields = processStat(pid);
  if (fields) return fields[0] !== "Z" && fields[0] !== "X";
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The process runs and belongs to another user, whose processes /proc may hide.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether exactly this process still runs. */
export function isSameProcess(pid: number, startTime: string): boolean {
  return processStartTime(pid) === startTime;
}
