import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import { ifMissing } from "./file-store";

/**
 * Keeps the first bytes of an output and drops the rest: a machine that floods its console must not fill the disk. What the
 * machine prints is in the file at once: without `stdbuf`, `head` writes blocks of 4 KiB.
 */
export function keepOutput(file: number, bytes: number, common: SpawnOptions): ChildProcess {
  const script = 'stdbuf -o0 head -c "$1"; exec cat >/dev/null';
  const keeper = spawn("sh", ["-c", script, "sh", String(bytes)], {
    ...common,
    cwd: "/",
    stdio: ["pipe", file, "ignore"],
  });
  keeper.on("error", () => {});
  keeper.unref();
  return keeper;
}

/** Empties a file that is larger than the limit and keeps its content as `<file>.old`. Its writer must append. */
export async function limitFile(file: string, bytes: number): Promise<void> {
  const found = await fs.stat(file).catch(ifMissing(undefined));
  if (!found || found.size <= bytes) return;
  await fs.copyFile(file, `${file}.old`);
  await fs.truncate(file, 0);
}
