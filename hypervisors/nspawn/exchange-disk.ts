import type { Host } from "../../model/host";
import type { MachineName, MachineState, Owner, SeedFiles, SystemDisks } from "../hypervisor";
import { type DriverRecord, machineMissing } from "../machine-records";
import { finishRestore } from "../snapshots/restore-snapshot";
import { dropFormer, type SystemDiskOf, setAside, settled, takeBack } from "../system-disks";
import { imageLayers, makeRoot, writeSeed } from "./machine-root";
import { diskOf, ownedRecord, readComplete, stateOf, withMachineLock } from "./machines";
import { snapshotMethod } from "./snapshots";

/** A machine's system disk is its own layer of the overlay, with the stores of containerd and the kubelet beside it. */
export const systemDisks = (host: Host): SystemDisks => ({
  exchangeSystemDisk: (machine, image, seed, owner) => exchange(host, machine, image, seed, owner),
  restoreSystemDisk: (machine, owner) =>
    withOwned(host, machine, owner, async (record, disk) => stateOf(host, await takeBack(host, record, disk))),
  dropFormerSystemDisk: (machine, owner) =>
    withOwned(host, machine, owner, async (record, disk) => void (await dropFormer(host, record, disk))),
});

function exchange(
  host: Host,
  machine: MachineName,
  image: string,
  seed: SeedFiles,
  owner: Owner,
): Promise<MachineState> {
  return withOwned(host, machine, owner, async (record, disk) => {
    await imageLayers(host, image);
    const standing = record.spec.image === image ? record : await takeBack(host, record, disk);
    const next = standing.spec.image === image ? standing : await setAside(host, standing, image, disk);
    await makeRoot(host, next.spec);
    await writeSeed(host, machine, seed);
    return stateOf(host, next);
  });
}

/** The record without an interrupted exchange. Under the machine's lock. */
export async function settledMachine(host: Host, machine: MachineName): Promise<DriverRecord> {
  const record = await readComplete(host, machine);
  if (!record) throw machineMissing(machine);
  return settled(host, record, diskOf(host, machine));
}

async function withOwned<T>(
  host: Host,
  machine: MachineName,
  owner: Owner,
  action: (record: DriverRecord, disk: SystemDiskOf<DriverRecord>) => Promise<T>,
): Promise<T> {
  return withMachineLock(host, machine, async () => {
    const record = await ownedRecord(host, machine, owner);
    if (!record?.complete) throw machineMissing(machine);
    const disk = diskOf(host, machine);
    const now = await settled(host, record, disk);
    await finishRestore(host, snapshotMethod(host), now);
    return action(now, disk);
  });
}
