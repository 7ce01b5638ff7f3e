import { driverRequirements, installHint } from "../../model/driver-requirements";
import { automaticDrivers, type DriverName, driverNames, drivers, featuresOf, isDriverName } from "../../model/drivers";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { type HypervisorHere, kvmHere, virtualBoxHere } from "./detect-hypervisors";
import { type StackOnDriver, stacksOnDrivers } from "./stack-driver";

/** What the choice depends on besides the configuration. */
export interface DriverSurroundings {
  readonly stack: string;
  /** The drivers that this version has. */
  readonly drivers: readonly DriverName[];
  /** `process.platform` */
  readonly platform: string;
  /** The variable GROUNDPLANE_DRIVER: wins over the configuration, e.g. `fake` in tests. */
  readonly override: string | undefined;
  /** Every stack of this host that exists, this one among them, with the driver of its machines. */
  readonly stacks: readonly StackOnDriver[];
  /** Called only when needed, because detection takes time. */
  readonly virtualBox: () => Promise<HypervisorHere>;
  readonly kvm: () => Promise<HypervisorHere>;
}

export interface DriverChoice {
  readonly driver: DriverName;
  /** One sentence for users: why this driver. */
  readonly reason: string;
  /** Drivers that `auto` prefers, and why it could not use them. */
  readonly passedOver: readonly { readonly driver: DriverName; readonly reason: string }[];
}

/**
 * The one place that resolves `auto`: VirtualBox if it is usable, else QEMU with KVM, else system containers.
 * An existing stack keeps its driver, whatever is installed later.
 *
 * @throws UserError `no-driver`, `driver-changed`, `two-hypervisors`, `unknown-driver`
 */
export async function chooseDriver(
  configured: DriverName | "auto",
  surroundings: DriverSurroundings,
): Promise<DriverChoice> {
  const { override, stack, stacks, drivers } = surroundings;
  const wanted = override || configured;
  const current = stacks.find((each) => each.stack === stack)?.driver as DriverName | undefined;
  const who = override ? "GROUNDPLANE_DRIVER" : "the configuration";
  if (wanted !== "auto") {
    const driver = checked(wanted, drivers);
    if (current !== undefined && current !== driver) throw driverChanged(stack, current, `${who} says ${driver}`);
    const rival = current === undefined ? await rivalOf(driver, surroundings) : undefined;
    if (rival) throw twoHypervisors(driver, rival);
    return { driver, reason: `${who} says ${driver}`, passedOver: [] };
  }
  if (current !== undefined) {
    return {
      driver: checked(current, drivers),
      reason: `auto: the stack was created on ${current} and stays there`,
      passedOver: [],
    };
  }
  return chooseForNewStack(surroundings);
}

async function chooseForNewStack(surroundings: DriverSurroundings): Promise<DriverChoice> {
  const passedOver: { driver: DriverName; reason: string }[] = [];
  const lookFor = looks(surroundings);
  for (const driver of automaticDrivers) {
    if (!surroundings.drivers.includes(driver)) continue;
    const { usable, reason } = await lookFor[driver]();
    const rival = usable ? await rivalOf(driver, surroundings) : undefined;
    if (usable && !rival) return { driver, reason: `auto: ${reason}`, passedOver };
    passedOver.push({ driver, reason: rival ? sharedProcessor(rival) : reason });
  }
  throw new UserError(
    "no-driver",
    `no driver works on this host:\n${passedOver.map(({ driver, reason }) => `  - ${driver}: ${reason}`).join("\n")}`,
    `${installHint(driverRequirements.virtualbox.hypervisor)} (virtualbox.org), or run this on Linux`,
  );
}

/** How each driver that `auto` tries is looked for. */
function looks({ platform, virtualBox, kvm }: DriverSurroundings): Readonly<Record<AutomaticDriver, Look>> {
  const containers: Look = async () =>
    platform === driverRequirements.nspawn.platform
      ? { usable: true, reason: "on Linux, system containers need no hypervisor" }
      : { usable: false, reason: "system containers need Linux" };
  return { virtualbox: virtualBox, qemu: kvm, nspawn: containers };
}

type AutomaticDriver = (typeof automaticDrivers)[number];
type Look = () => Promise<HypervisorHere>;

/** A stack whose hypervisor would compete with this driver's for the processor's virtualization: one of them would fail. */
async function rivalOf(driver: DriverName, { stacks, kvm }: DriverSurroundings): Promise<StackOnDriver | undefined> {
  if (virtualisationOf(driver) === undefined) return undefined;
  const rival = stacks.find((each) => each.driver !== driver && virtualisationOf(each.driver) !== undefined);
  // QEMU without KVM is an ordinary program.
  return rival && (await kvm()).usable ? rival : undefined;
}

const virtualisationOf = (driver: string): string | undefined =>
  isDriverName(driver) ? featuresOf(driver).virtualisation : undefined;

const sharedProcessor = ({ stack, driver }: StackOnDriver): string =>
  `the stack ${stack} runs on ${virtualisationOf(driver)}, and one host cannot run both`;

const twoHypervisors = (driver: DriverName, rival: StackOnDriver): UserError =>
  new UserError(
    "two-hypervisors",
    `${driver} cannot be used: ${sharedProcessor(rival)}`,
    `take the other stack down first: npx groundplane destroy --stack ${rival.stack}`,
  );

const driverChanged = (stack: string, current: string, said: string): UserError =>
  new UserError(
    "driver-changed",
    `${stack} exists on ${current}, but ${said}: machines do not move between hypervisors`,
    `stay with ${current}, or take the stack down first: npx groundplane destroy --stack ${stack}`,
  );

function checked(name: string, drivers: readonly string[]): DriverName {
  if (drivers.includes(name)) return name as DriverName;
  throw new UserError(
    "unknown-driver",
    `there is no driver called ${JSON.stringify(name)}`,
    `use one of: auto, ${drivers.join(", ")}`,
  );
}

/**
 * The factor for time limits on this driver. An emulated processor is ten to fifty times slower, while disks and networks
 * are not. The factor only extends limits; each machine measures by itself how long Kubernetes' own tools wait.
 */
export async function slowdownOf(driver: DriverName, { kvm }: Pick<DriverSurroundings, "kvm">): Promise<number> {
  return drivers[driver].emulates && !(await kvm()).usable ? 12 : 1;
}

/** The surroundings of this process. */
export async function driverSurroundings(host: Host, stack: string): Promise<DriverSurroundings> {
  return {
    stack,
    drivers: driverNames,
    platform: host.facts.platform,
    override: host.facts.env.GROUNDPLANE_DRIVER,
    stacks: await stacksOnDrivers(host),
    virtualBox: () => virtualBoxHere(host),
    kvm: () => kvmHere(host),
  };
}
