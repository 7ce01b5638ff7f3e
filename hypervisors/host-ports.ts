import type { Host } from "../model/host";
import { UserError } from "../model/user-error";
import type { MachineSpec } from "./hypervisor";

/**
 * Checks the ports of this host that lead to a machine, before it starts.
 * @throws UserError `port-taken` for the first one that another program uses
 */
export async function checkPorts(host: Host, machine: MachineSpec): Promise<void> {
  for (const { hostPort } of machine.uplink?.forwards ?? []) {
    if (!(await host.ports.isFree(hostPort))) throw await portTaken(host, machine.name, hostPort);
  }
}

/** Names the program that uses the port, where the host can find it. */
export async function portTaken(host: Host, machine: string, port: number): Promise<UserError> {
  const holder = (await host.ports.holderOf(port)) ?? "another program";
  return new UserError(
    "port-taken",
    `port 127.0.0.1:${port}, which leads to ${machine}, is held by ${holder}`,
    "end that program, or give the stack other ports with hostPorts in its configuration",
  );
}
