import * as path from "node:path";
import { localHost } from "../../host/local-host";
import type { DiskSpec, Hypervisor, MachineSpec, Owner, SeedFiles } from "../../hypervisors/hypervisor";
import { createQemuDriver } from "../../hypervisors/qemu/driver";

/** One machine of a stack of this process, for tests beyond the driver contract. */
export const qemuStack = `qemu-${process.pid.toString(36)}`;
export const qemuOwner: Owner = { stack: qemuStack, urn: `urn:pulumi:${qemuStack}::qemu::machine` };
export const qemuDisk: DiskSpec = {
  stack: qemuStack,
  name: "machine-1-data",
  uuid: "6f1d3c1e-0000-5000-8000-0000000000d1",
  sizeGiB: 1,
};

export const qemuSeed: SeedFiles = { userData: "#cloud-config\n", metaData: "instance-id: a\n", networkConfig: "" };

export const qemuMachine = (image: string, changes: Partial<MachineSpec> = {}): MachineSpec => ({
  stack: qemuStack,
  name: "machine-1",
  uuid: "6f1d3c1e-0000-5000-8000-000000000001",
  image,
  cpus: 1,
  memoryMiB: 128,
  diskGiB: 1,
  nics: [{ segment: "dmz", name: "dmz", mac: "52:54:00:c0:00:01" }],
  disks: [],
  ...changes,
});

/** Creates the image, the segment and the machine, and starts the machine on request. */
export async function makeQemuMachine(spec: MachineSpec, start: boolean): Promise<Hypervisor> {
  const driver = createQemuDriver(localHost);
  await driver.ensureImage({ name: spec.image });
  await driver.ensureSegment({ stack: spec.stack, name: "dmz" }, qemuOwner);
  for (const { disk } of spec.disks) await driver.ensureDisk({ ...qemuDisk, name: disk }, qemuOwner);
  await driver.ensureMachine(spec, qemuSeed, qemuOwner);
  if (start) await driver.startMachine(spec);
  return driver;
}

/** Removes everything that the functions above create. */
export async function removeQemuStack(image: string): Promise<void> {
  const driver = createQemuDriver(localHost);
  for (const machine of await driver.listMachines(qemuStack)) await driver.removeMachine(machine, qemuOwner);
  await driver.removeDisk(qemuDisk, qemuOwner);
  await driver.removeSegment({ stack: qemuStack, name: "dmz" }, qemuOwner);
  await driver.releaseImage({ name: image });
}

/** The folder of a machine's files. */
export const qemuMachineFolder = (data: string, name = "machine-1"): string =>
  path.join(data, "stacks", qemuStack, "qemu", "machines", name);
