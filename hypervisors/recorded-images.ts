import * as path from "node:path";
import { imageNamesIn } from "../image/recipes/image-names";
import { type DriverName, driverNames } from "../model/drivers";
import type { Host } from "../model/host";
import { fakeStackFolder, fakeStacks } from "./fake/fake-store";
import { machinesFolder as nspawnMachines } from "./nspawn/folders";
import { machinesFolder as qemuMachines } from "./qemu/folders";
import { machinesFolder as virtualBoxMachines } from "./virtualbox/folders";

/** Where each driver has a folder for each machine, with its record. */
const machinesFolders: Readonly<Record<DriverName, (host: Host, stack: string) => string>> = {
  nspawn: nspawnMachines,
  virtualbox: virtualBoxMachines,
  qemu: qemuMachines,
  fake: (host, stack) => path.join(fakeStackFolder(host, stack), "machines"),
};

/**
 * The images that the records of machines name, by the stacks of these machines, of all drivers and stacks. Incomplete records count,
 * and those of earlier versions: only the names of images are read.
 */
export async function recordedImages(host: Host): Promise<ReadonlyMap<string, readonly string[]>> {
  const stacks = new Set([
    ...(await host.files.list(path.join(host.folders.data(), "stacks"))),
    ...(await fakeStacks(host)),
  ]);
  const found = new Map<string, Set<string>>();
  for (const stack of stacks) {
    for (const driver of driverNames) {
      const folder = machinesFolders[driver](host, stack);
      for (const machine of await host.files.list(folder)) {
        const record = await host.files.readText(path.join(folder, machine, "machine.json"));
        for (const image of imageNamesIn(record ?? "")) found.set(image, (found.get(image) ?? new Set()).add(stack));
      }
    }
  }
  return new Map([...found].map(([image, named]) => [image, [...named]]));
}
