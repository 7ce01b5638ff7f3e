import type { Host } from "../../model/host";
import type { DisksOfDriver } from "../exchange-disk";
import type { DriverRecord } from "../machine-records";
import type { SnapshotMethod } from "../snapshots/snapshot-method";
import { imageLayers, makeRoot, writeSeed } from "./machine-root";
import { diskOf, ownedRecord, readComplete, stateOf, withMachineLock } from "./machines";

/** A machine's system disk is its own layer of the overlay, with the stores of containerd and the kubelet beside it. */
export const disksOf = (host: Host, snapshots: SnapshotMethod): DisksOfDriver<DriverRecord> => ({
  withLock: (machine, action) => withMachineLock(host, machine, action),
  readComplete: (machine) => readComplete(host, machine),
  ownedRecord: (machine, owner) => ownedRecord(host, machine, owner),
  diskOf: (machine) => diskOf(host, machine),
  snapshots,
  async recordOf(image) {
    await imageLayers(host, image);
    return {};
  },
  ensureDisk: ({ spec }) => makeRoot(host, spec),
  writeSeed: (machine, seed) => writeSeed(host, machine, seed),
  stateOf: (record) => stateOf(host, record),
});
