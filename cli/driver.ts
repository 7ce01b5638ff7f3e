import { driverByName } from "../provider/drivers/driver-by-name";
import type { Hypervisor } from "../provider/hypervisor";
import { chooseDriver, type DriverChoice, driverSurroundings } from "../stacks/choose-driver";
import type { Configuration } from "../stacks/config/configuration";
import { readConfiguration } from "./project";

export interface ChosenDriver extends DriverChoice {
  readonly hypervisor: Hypervisor;
}

/** The driver that a stack's configuration leads to on this host. */
export async function driverOf(stack: string): Promise<ChosenDriver> {
  return driverFor((await readConfiguration(stack)).driver);
}

export function driverFor(configured: Configuration["driver"]): ChosenDriver {
  const choice = chooseDriver(configured, driverSurroundings());
  return { ...choice, hypervisor: driverByName(choice.driver) };
}
