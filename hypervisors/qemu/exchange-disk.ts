import type { Host } from "../../model/host";
import type { DisksOfDriver } from "../exchange-disk";
import { namingFullDisk } from "../full-disk";
import type { SnapshotMethod } from "../snapshots/snapshot-method";
import { machineFiles } from "./folders";
import { backingOf } from "./images";
import { type MachineRecord, ownedRecord, readComplete } from "./machine-record";
import { diskOf, stateOf, withMachineLock } from "./machines";
import { ensureSystemDisk, writeSeed } from "./system-disk";

/** A machine's system disk is its overlay of the image. */
export const disksOf = (host: Host, snapshots: SnapshotMethod): DisksOfDriver<MachineRecord> => ({
  withLock: (machine, action) =>
    withMachineLock(host, machine, () => namingFullDisk(machineFiles(host, machine).folder, action)),
  readComplete: (machine) => readComplete(host, machine),
  ownedRecord: (machine, owner) => ownedRecord(host, machine, owner),
  diskOf: (machine) => diskOf(host, machine),
  snapshots,
  recordOf: async (image) => ({ backing: (await backingOf(host, image)).hex }),
  ensureDisk: ({ spec, backing }) => ensureSystemDisk(host, spec, backing),
  writeSeed: (machine, seed) => writeSeed(host, machine, seed),
  stateOf: (record) => stateOf(host, record),
});
