import type { Host } from "../../model/host";
import type { RestoreSnapshot, SnapshotRecord } from "../../model/stack-snapshots";
import { namingFullDisk } from "../full-disk";
import type { MachineSpec } from "../hypervisor";
import type { DriverRecord } from "../machine-records";
import { withMachineLocks } from "./create-snapshot";
import { otherDisks } from "./differences";
import { refuseSmallDiskForRestore } from "./disk-space";
import { inParallel } from "./in-parallel";
import { beginRestore, endPending, partFolder, readPending, snapshotFiles, snapshotsFolder } from "./snapshot-files";
import type { SnapshotMethod } from "./snapshot-method";

/** Under the lock of the stack's snapshots, for machines that the snapshot fits. */
export async function restoreSnapshot(
  host: Host,
  method: SnapshotMethod,
  record: SnapshotRecord,
  present: readonly DriverRecord[],
  { signal, progress = () => {} }: RestoreSnapshot,
): Promise<void> {
  const specs = present.map(({ spec }) => spec);
  const bytes = record.machines.reduce((sum, machine) => sum + machine.bytes, 0);
  await refuseSmallDiskForRestore(host, method, { stack: record.stack, bytes }, present);
  await withMachineLocks(method, specs, async () => {
    signal?.throwIfAborted();
    for (const spec of specs) {
      await method.check?.(spec);
      const part = { snapshot: record.name, folder: partFolder(snapshotFiles(host, record).complete, spec.name) };
      if ((await method.isSaved?.(spec, part)) === false) throw otherDisks(record, [`${spec.name} has another disk`]);
    }
    progress(`cutting the power of ${specs.length} machines`);
    await inParallel(specs, (spec) => method.cutPower(spec));
    await beginRestore(host, record, record.machines);
    progress("putting their disks back");
    await inParallel(present, async ({ spec, generation }) => {
      signal?.throwIfAborted();
      await finishRestore(host, method, { spec, generation });
    });
    progress("starting them");
    await inParallel(specs, async (spec) => {
      signal?.throwIfAborted();
      await method.start(spec);
    });
  });
}

/**
 * Puts back the disks of a machine whose restore was interrupted. Every start begins with it, so that a machine never runs with
 * disks of another time than the rest of the stack. Under the machine's lock. A machine that was recreated since keeps its disks.
 */
export async function finishRestore(
  host: Host,
  method: SnapshotMethod,
  { spec, generation }: Pick<DriverRecord, "generation"> & { readonly spec: MachineSpec },
): Promise<void> {
  const { stack, name } = spec;
  const pending = await readPending(host, stack, name);
  if (!pending) return;
  if (pending.generation === generation && pending.image === spec.image) {
    if (await method.isRunning(spec)) await method.cutPower(spec);
    const { complete } = snapshotFiles(host, { stack, name: pending.snapshot });
    const part = { snapshot: pending.snapshot, folder: partFolder(complete, name) };
    await namingFullDisk(snapshotsFolder(host, stack), () => method.putBack(spec, part));
  }
  await endPending(host, stack, name);
}
