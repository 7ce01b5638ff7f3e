import type { Hypervisor } from "../../hypervisors/hypervisor";

/** Machines lose their power and then their system disks, in this order. */
export async function loseMachines(driver: Hypervisor, stack: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const machine = { stack, name };
    const state = await driver.inspectMachine(machine);
    if (state === undefined) throw new Error(`${name} does not exist`);
    await driver.hardKill?.hardKill(machine);
    await driver.removeMachine(machine, state.owner);
  }
}
