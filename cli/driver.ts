import { localHost } from "../host/local-host";
import { chooseDriver, type DriverChoice, driverSurroundings } from "../hypervisors/choice/choose-driver";
import { rememberedDriver } from "../hypervisors/choice/stack-driver";
import { driverByName } from "../hypervisors/driver-by-name";
import type { Hypervisor } from "../hypervisors/hypervisor";
import type { Configuration } from "../stacks/config/configuration";
import { refuseOtherUser } from "../toolchain/run-pulumi/other-user";
import { readConfiguration } from "./project";

export interface ChosenDriver extends DriverChoice {
  readonly hypervisor: Hypervisor;
}

/**
 * The driver that runs a stack's machines, or the one that its configuration selects while it has none.
 * @throws UserError `other-user`, or as `driverFor`
 */
export async function driverOf(stack: string): Promise<Hypervisor> {
  await refuseOtherUser(stack);
  const current = await rememberedDriver(localHost, stack);
  return current ? driverByName(current, localHost) : (await driverFor(await readConfiguration(stack))).hypervisor;
}

/**
 * The driver that a configuration selects on this host.
 * @throws UserError as `chooseDriver`, also when the stack exists on another one
 */
export async function driverFor({ driver, name }: Pick<Configuration, "driver" | "name">): Promise<ChosenDriver> {
  const choice = await chooseDriver(driver, await driverSurroundings(localHost, name));
  return { ...choice, hypervisor: driverByName(choice.driver, localHost) };
}
