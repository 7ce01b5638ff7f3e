/** Runs one step of a stack's life cycle in a separate process: `drive-machine.ts image|make|remove STACK NUMBER`. */
import { localHost } from "../../host/local-host";
import { createVirtualBoxDriver } from "../../hypervisors/virtualbox/driver";
import { BOOT_IMAGE, machineOf, ownerIn, someSeed } from "./virtualbox-stack";

async function main([work, stack = "", number = "1"]: readonly string[]): Promise<void> {
  const driver = createVirtualBoxDriver(localHost);
  const machine = machineOf(stack, Number(number));
  const owner = ownerIn(stack, machine.name);
  if (work === "remove") return driver.removeMachine(machine, owner);
  await driver.ensureImage({ name: BOOT_IMAGE });
  if (work === "image") return;
  await driver.ensureSegment({ stack, name: "dmz" }, ownerIn(stack, "dmz"));
  await driver.ensureMachine(machine, someSeed, owner);
  await driver.startMachine(machine);
}

main(process.argv.slice(2));
