/** Makes and starts machines, or removes them, in a process of its own: `drive-machine.ts make|remove STACK NUMBER`. */
import { createVirtualBoxDriver } from "../../provider/drivers/virtualbox/driver";
import { BOOT_IMAGE, machineOf, ownerIn, someSeed } from "./virtualbox-stack";

async function main([work, stack = "", number = "1"]: readonly string[]): Promise<void> {
  const driver = createVirtualBoxDriver();
  const owner = (urn: string) => ownerIn(stack, urn);
  const machine = machineOf(stack, Number(number));
  if (work === "remove") return driver.removeMachine(machine, owner(machine.name));
  await driver.ensureSegment({ stack, name: "dmz" }, owner("dmz"));
  await driver.ensureImage({ name: BOOT_IMAGE });
  await driver.ensureMachine(machine, someSeed, owner(machine.name));
  await driver.startMachine(machine);
}

main(process.argv.slice(2));
