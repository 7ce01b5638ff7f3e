import * as fs from "node:fs";
import { localHost } from "../../host/local-host";
import { findProcesses } from "../../host/process-table";
import { runCommand } from "../../host/run-command";
import type { MachineName } from "../../hypervisors/hypervisor";
import { machinePids } from "../../hypervisors/nspawn/cgroups";
import { leaderOf } from "../../hypervisors/nspawn/machine-power";
import { stackNamespace } from "../../hypervisors/nspawn/names";
import { until } from "./host-observations";

/** Does to one stack what a restart of the host does: ends its processes and namespaces, and keeps its files. */
export async function losePower(stack: string, machines: readonly MachineName[]): Promise<void> {
  const namespace = stackNamespace(stack);
  const isOurs = (name: string): boolean => name === namespace || name.startsWith(`${namespace}.`);
  for (const machine of machines) {
    const leader = await leaderOf(localHost, machine);
    for (const pid of [leader, ...(await machinePids(localHost, machine))]) if (pid) kill(pid);
  }
  const uplinks = await findProcesses(
    (argv) => argv.includes("slirp4netns") && argv.some((word) => isOurs(word.split("/").at(-1) ?? "")),
  );
  for (const { pid } of uplinks) kill(pid);
  await until(
    "all are dead",
    async () => (await Promise.all(machines.map((machine) => machinePids(localHost, machine)))).flat().length === 0,
  );
  for (const name of fs.readdirSync("/run/netns").filter(isOurs)) await runCommand(["ip", "netns", "delete", name]);
}

/** Ignores a process that has already ended with its leader. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
