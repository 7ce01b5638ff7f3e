import * as path from "node:path";
import { CommandError } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { type BorderProgram, deviceProgram, settingProgram } from "./border-programs";
import type { MachineCgroup } from "./cgroups";
import { attachPrograms } from "./commands";

/** Beside the controllers of version 1. */
export const MOUNT_VERSION_2 = "mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified";

/**
 * Closes the machine's cgroup, before the first process enters it. It needs the version 2 hierarchy, which hosts with
 * version 1 mount beside it: the device controller of version 1 would also refuse what runc sets for its containers.
 * @throws UserError `machine-border`
 */
export async function closeBorder(host: Host, cgroups: readonly MachineCgroup[]): Promise<void> {
  const cgroup = cgroups.find(({ version }) => version === 2);
  if (cgroup === undefined) {
    throw new UserError(
      "machine-border",
      "the version 2 cgroup hierarchy is not mounted, and machines could use the host's devices",
      MOUNT_VERSION_2,
    );
  }
  await attach(host, cgroup.folder, [deviceProgram(), settingProgram()]);
}

/** Attaches programs to a version 2 cgroup. @throws UserError `machine-border` */
export async function attach(host: Host, folder: string, programs: readonly BorderProgram[]): Promise<void> {
  const lines = programs.map(({ type, hook, code }) => `${type} ${hook} ${code.toString("hex")}`);
  try {
    await host.run(attachPrograms(kernelCalls(host), folder), { stdin: lines.join("\n"), timeoutMs: 10_000 });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(
      "machine-border",
      `the kernel refuses the programs that keep a machine from the host's devices:\n${error.stderr.trim()}`,
      "use a kernel with CONFIG_CGROUP_BPF; inside a container, allow the system call bpf",
      { cause: error },
    );
  }
}

/** The program with the system calls that no other program of the host offers. */
export const kernelCalls = (host: Host): string =>
  path.join(host.folders.project(), "hypervisors", "nspawn", "kernel-calls.pl");
