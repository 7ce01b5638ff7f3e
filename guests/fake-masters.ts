import { localHost } from "../host/local-host";
import { type MachineRecord, readMachine } from "../hypervisors/fake/fake-store";

/** Which nodes of a simulated cluster are masters: as recorded at their join, or as their machines say. */

export const isMaster = (machine: MachineRecord | undefined): boolean =>
  machine?.made?.spec.roles?.includes("master") === true;

interface Members {
  readonly nodes: Readonly<Record<string, string>>;
  readonly masters?: readonly string[];
}

export async function mastersOf({ nodes, masters = [] }: Members, stack: string): Promise<readonly string[]> {
  const names = Object.keys(nodes);
  const machines = await Promise.all(names.map((name) => readMachine(localHost, { stack, name })));
  return names.filter((name, index) => masters.includes(name) || isMaster(machines[index]));
}
