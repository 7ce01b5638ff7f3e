import * as fs from "node:fs";
import * as path from "node:path";
import type { Hypervisor } from "../../hypervisors/hypervisor";

/** Removes the machines of every stack in a test's own data folder, regardless of their owner. */
export async function removeMachines(driver: Hypervisor, data: string): Promise<void> {
  const stacks = path.join(data, "stacks");
  for (const stack of fs.existsSync(stacks) ? fs.readdirSync(stacks) : []) {
    for (const machine of await driver.listMachines(stack)) {
      const found = await driver.inspectMachine(machine);
      if (found) await driver.removeMachine(machine, found.owner);
    }
  }
}
