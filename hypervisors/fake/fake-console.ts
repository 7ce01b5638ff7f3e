import * as path from "node:path";
import { appendLine } from "../../host/append-line";
import { removeTree } from "../../host/file-store";
import type { MachineName } from "../hypervisor";
import { machineFolder } from "./fake-store";

export const consoleFile = (machine: MachineName): string => path.join(machineFolder(machine), "console.log");

/** `fresh`: a new start, whose output begins anew. */
export async function appendConsole(machine: MachineName, line: string, { fresh = false } = {}): Promise<void> {
  if (fresh) await removeTree(consoleFile(machine));
  await appendLine(consoleFile(machine), line);
}
