import * as path from "node:path";
import { readIfPresent, writeFileAtomic } from "../../host/file-store";
import type { MachineName } from "../../hypervisor";
import { machineFolder } from "./fake-store";

export const consoleFile = (machine: MachineName): string => path.join(machineFolder(machine), "console.log");

/** `fresh`: a new start, whose output begins anew. */
export async function appendConsole(machine: MachineName, line: string, { fresh = false } = {}): Promise<void> {
  const before = fresh ? "" : ((await readIfPresent(consoleFile(machine))) ?? "");
  await writeFileAtomic(consoleFile(machine), `${before}${line}\n`, 0o600);
}
