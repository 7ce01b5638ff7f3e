import type { ProcessIdentity } from "../../model/commands";
import { QEMU_PROGRAM } from "../../model/driver-requirements";
import type { Host } from "../../model/host";
import type { MachineName } from "../hypervisor";
import { qmpOption } from "./commands";
import { runtimeFolder } from "./names";

/**
 * Processes are found by their arguments, not by a recorded pid: none is lost when the process that started it was killed,
 * and none is mistaken for one that got its pid or left its socket behind.
 */

/** A machine's QEMU. There is a second one only if a user started it. */
export function machineProcesses(host: Host, machine: MachineName): Promise<readonly ProcessIdentity[]> {
  const mark = qmpOption(host, machine);
  return host.processes.find((argv) => (argv[0] ?? "").endsWith(QEMU_PROGRAM) && argv.includes(mark));
}

export async function isRunning(host: Host, machine: MachineName): Promise<boolean> {
  return (await machineProcesses(host, machine)).length > 0;
}

/** File name of the switch's program, see build.cjs. */
export const SWITCH_PROGRAM = "qemu-switch.js";

export function switchProcesses(host: Host, stack: string): Promise<readonly ProcessIdentity[]> {
  const folder = runtimeFolder(host, stack);
  return host.processes.find((argv) => (argv[1] ?? "").endsWith(SWITCH_PROGRAM) && argv[2] === folder);
}
