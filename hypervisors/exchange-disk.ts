import type { Host } from "../model/host";
import type { MachineName, MachineState, Owner, SeedFiles, SystemDisks } from "./hypervisor";
import { type DriverRecord, machineMissing } from "./machine-records";
import { finishRestore } from "./snapshots/restore-snapshot";
import type { SnapshotMethod } from "./snapshots/snapshot-method";
import { dropFormer, type SystemDiskOf, setAside, settled, takeBack } from "./system-disks";

/** What differs between drivers whose system disks are files. */
export interface DisksOfDriver<R extends DriverRecord> {
  withLock<T>(machine: MachineName, action: () => Promise<T>): Promise<T>;
  readComplete(machine: MachineName): Promise<R | undefined>;
  /** @throws ForeignObjectError */
  ownedRecord(machine: MachineName, owner: Owner): Promise<R | undefined>;
  diskOf(machine: MachineName): SystemDiskOf<R>;
  readonly snapshots: SnapshotMethod;
  /**
   * What the record of a machine says of a disk of the image, besides its name. Called before anything is changed.
   * @throws ImageMissingError
   */
  recordOf(image: string): Promise<Partial<R>>;
  /** Creates the disk or completes it: the machine may have got a larger one meanwhile. */
  ensureDisk(record: R): Promise<void>;
  writeSeed(machine: MachineName, seed: SeedFiles): Promise<void>;
  stateOf(record: R): Promise<MachineState>;
}

export function exchangedDisks<R extends DriverRecord>(host: Host, driver: DisksOfDriver<R>): SystemDisks {
  type Action<T> = (record: R, disk: SystemDiskOf<R>) => Promise<T>;
  const withOwned = <T>(machine: MachineName, owner: Owner, action: Action<T>): Promise<T> =>
    driver.withLock(machine, async () => {
      const record = await driver.ownedRecord(machine, owner);
      if (!record?.complete) throw machineMissing(machine);
      return action(await withoutInterruption(host, driver, record), driver.diskOf(machine));
    });
  return {
    exchangeSystemDisk: (machine, image, seed, owner) =>
      withOwned(machine, owner, async (record, disk) => {
        const changes = await driver.recordOf(image);
        const standing = record.spec.image === image ? record : await takeBack(host, record, disk);
        const isThere = standing.spec.image === image;
        const next = isThere ? standing : await setAside(host, standing, image, disk, changes);
        await driver.ensureDisk(next);
        await driver.writeSeed(machine, seed);
        return driver.stateOf(next);
      }),
    restoreSystemDisk: (machine, owner) =>
      withOwned(machine, owner, async (record, disk) => {
        const next = await takeBack(host, record, disk);
        await driver.ensureDisk(next);
        return driver.stateOf(next);
      }),
    dropFormerSystemDisk: (machine, owner) =>
      withOwned(machine, owner, async (record, disk) => void (await dropFormer(host, record, disk))),
  };
}

/** What every start begins with: no exchange and no restore is interrupted any more. Under the machine's lock. */
export async function startableMachine<R extends DriverRecord>(
  host: Host,
  driver: DisksOfDriver<R>,
  machine: MachineName,
): Promise<R> {
  const record = await driver.readComplete(machine);
  if (!record) throw machineMissing(machine);
  return withoutInterruption(host, driver, record);
}

async function withoutInterruption<R extends DriverRecord>(host: Host, driver: DisksOfDriver<R>, record: R) {
  const now = await settled(host, record, driver.diskOf(record.spec));
  await finishRestore(host, driver.snapshots, now);
  return now;
}
