import { localHost } from "../../host/local-host";
import type { Hypervisor, MachineSpec, MachineState, Owner, SeedFiles } from "../../hypervisors/hypervisor";
import { createVirtualBoxDriver } from "../../hypervisors/virtualbox/driver";
import type { VirtualboxHost } from "./virtualbox-host";

export const BOOT_IMAGE = "infrastructure-0123456789ab";

export const someSeed: SeedFiles = {
  userData: "#cloud-config\n",
  metaData: "instance-id: one\n",
  networkConfig: "version: 2\n",
};

export const ownerIn = (stack: string, urn: string): Owner => ({ stack, urn: `urn:pulumi:${stack}::test::${urn}` });

/** A machine with one cable. `number` is 1 to 9. */
export function machineOf(stack: string, number: number): MachineSpec {
  const unique = Buffer.from(stack).toString("hex").padEnd(8, "0").slice(0, 8);
  return {
    ...{ stack, name: `machine-${number}`, uuid: `${unique}-0000-5000-8000-00000000000${number}` },
    ...{ image: BOOT_IMAGE, cpus: 1, memoryMiB: 64, diskGiB: 1, disks: [] },
    nics: [{ segment: "dmz", name: "dmz", mac: `08:00:27:00:00:0${number}` }],
  };
}

/** A stack on a test's private VirtualBox, created by the driver alone. Its machines have the boot-sector guest. */
export interface VirtualboxStack {
  readonly name: string;
  /** A new instance each time, as in another process. It has no state besides VirtualBox's. */
  readonly driver: Hypervisor;
  readonly owner: (urn: string) => Owner;
  /** `machineOf`, with the test's own settings. */
  spec(number: number, settings?: Partial<MachineSpec>): MachineSpec;
  /** Creates the segment, the image and the machine. */
  make(spec: MachineSpec): Promise<MachineState>;
  inspect(spec: MachineSpec): Promise<MachineState>;
  /** Removes the machines of these numbers and the segment. */
  remove(...numbers: number[]): Promise<void>;
}

export function virtualboxStack(host: VirtualboxHost, name: string): VirtualboxStack {
  host.addImage(BOOT_IMAGE);
  const segment = { stack: name, name: "dmz" };
  const owner = (urn: string) => ownerIn(name, urn);
  return {
    ...{ name, owner },
    get driver() {
      return createVirtualBoxDriver(localHost);
    },
    spec: (number, settings = {}) => ({ ...machineOf(name, number), ...settings }),
    async make(spec) {
      const driver = createVirtualBoxDriver(localHost);
      await driver.ensureSegment(segment, owner("dmz"));
      await driver.ensureImage({ name: spec.image });
      return driver.ensureMachine(spec, someSeed, owner(spec.name));
    },
    async inspect(spec) {
      const state = await createVirtualBoxDriver(localHost).inspectMachine(spec);
      if (!state) throw new Error(`${spec.name} is not there`);
      return state;
    },
    async remove(...numbers) {
      const driver = createVirtualBoxDriver(localHost);
      for (const number of numbers) {
        const machine = `machine-${number}`;
        await driver.removeMachine({ stack: name, name: machine }, owner(machine));
      }
      await driver.removeSegment(segment, owner("dmz"));
    },
  };
}
