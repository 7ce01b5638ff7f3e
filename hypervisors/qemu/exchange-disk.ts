import type { Host } from "../../model/host";
import { namingFullDisk } from "../full-disk";
import type { MachineName, MachineState, Owner, SeedFiles, SystemDisks } from "../hypervisor";
import { machineMissing } from "../machine-records";
import { finishRestore } from "../snapshots/restore-snapshot";
import { dropFormer, type SystemDiskOf, setAside, settled, takeBack } from "../system-disks";
import { machineFiles } from "./folders";
import { backingOf } from "./images";
import { type MachineRecord, ownedRecord, readComplete } from "./machine-record";
import { diskOf, stateOf, withMachineLock } from "./machines";
import { snapshotMethod } from "./snapshots";
import { ensureSystemDisk, writeSeed } from "./system-disk";

/** A machine's system disk is its overlay of the image. */
export const systemDisks = (host: Host): SystemDisks => ({
  exchangeSystemDisk: (machine, image, seed, owner) => exchange(host, machine, image, seed, owner),
  restoreSystemDisk: (machine, owner) => restore(host, machine, owner),
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
    const { hex } = await backingOf(host, image);
    const standing = record.spec.image === image ? record : await takeBack(host, record, disk);
    const next =
      standing.spec.image === image ? standing : await setAside(host, standing, image, disk, { backing: hex });
    await ensureSystemDisk(host, next.spec, next.backing);
    await writeSeed(host, machine, seed);
    return stateOf(host, next);
  });
}

/** The machine may have got a larger disk meanwhile. */
function restore(host: Host, machine: MachineName, owner: Owner): Promise<MachineState> {
  return withOwned(host, machine, owner, async (record, disk) => {
    const next = await takeBack(host, record, disk);
    await ensureSystemDisk(host, next.spec, next.backing);
    return stateOf(host, next);
  });
}

/** The record without an interrupted exchange. Under the machine's lock. */
export async function settledMachine(host: Host, machine: MachineName): Promise<MachineRecord> {
  const record = await readComplete(host, machine);
  if (!record) throw machineMissing(machine);
  return settled(host, record, diskOf(host, machine));
}

function withOwned<T>(
  host: Host,
  machine: MachineName,
  owner: Owner,
  action: (record: MachineRecord, disk: SystemDiskOf<MachineRecord>) => Promise<T>,
): Promise<T> {
  return withMachineLock(host, machine, () =>
    namingFullDisk(machineFiles(host, machine).folder, async () => {
      const record = await ownedRecord(host, machine, owner);
      if (!record?.complete) throw machineMissing(machine);
      const disk = diskOf(host, machine);
      const now = await settled(host, record, disk);
      // It starts nothing, so the network does not matter.
      await finishRestore(host, snapshotMethod(host, { hostLoopback: false }), now);
      return action(now, disk);
    }),
  );
}
