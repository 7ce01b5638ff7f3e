import type { Host } from "../../model/host";
import type { CreateSnapshot, SnapshotMachine, SnapshotName, SnapshotRecord } from "../../model/stack-snapshots";
import { UserError } from "../../model/user-error";
import { namingFullDisk } from "../full-disk";
import type { MachineName, MachineSpec } from "../hypervisor";
import type { DriverRecord } from "../machine-records";
import { refuseSmallDisk } from "./disk-space";
import { inParallel } from "./in-parallel";
import {
  partFolder,
  readSnapshot,
  recordIn,
  removeCreating,
  scratchFolder,
  snapshotFiles,
  snapshotsFolder,
  writeCreating,
} from "./snapshot-files";
import type { SnapshotMethod } from "./snapshot-method";

/** Under the lock of the stack's snapshots. */
export async function createSnapshot(
  host: Host,
  method: SnapshotMethod,
  snapshot: SnapshotName,
  options: CreateSnapshot,
): Promise<SnapshotRecord> {
  if (await readSnapshot(host, snapshot)) throw exists(snapshot);
  const machines = await method.listMachines(snapshot.stack);
  return withMachineLocks(method, machines, async () => {
    const records = await completeMachines(method, snapshot.stack, machines);
    await refuseSmallDisk(host, method, snapshot.stack, records);
    options.signal?.throwIfAborted();
    try {
      return await namingFullDisk(snapshotsFolder(host, snapshot.stack), () =>
        saveAll(host, method, snapshot, records, options),
      );
    } catch (error) {
      await dropParts(host, method, snapshot, records);
      await removeCreating(host, snapshot.stack);
      throw error;
    }
  });
}

/** One change of a machine at a time, and none during the pause. */
export function withMachineLocks<T>(
  method: SnapshotMethod,
  machines: readonly MachineName[],
  action: () => Promise<T>,
): Promise<T> {
  const [first, ...others] = machines;
  if (!first) return action();
  return method.withMachineLock(first, () => withMachineLocks(method, others, action));
}

/** What an incomplete snapshot has left. */
export async function dropParts(
  host: Host,
  method: SnapshotMethod,
  snapshot: SnapshotName,
  records: readonly DriverRecord[],
): Promise<void> {
  const { partial } = snapshotFiles(host, snapshot);
  for (const { spec } of records)
    await method.drop?.(spec, { snapshot: snapshot.name, folder: partFolder(partial, spec.name) });
  await host.files.remove(partial);
}

async function completeMachines(
  method: SnapshotMethod,
  stack: string,
  machines: readonly MachineName[],
): Promise<readonly DriverRecord[]> {
  if (machines.length === 0) {
    const problem = `${stack} has no machines, so there is nothing to save`;
    throw new UserError("no-machines", problem, "create them: `npx groundplane start`");
  }
  const records: DriverRecord[] = [];
  for (const machine of machines) {
    const record = await method.readRecord(machine);
    if (!record || record.former) {
      const what = record ? "is getting another image" : "is incomplete";
      throw new UserError("roll-in-progress", `${machine.name} ${what}`, "complete it first: `npx groundplane start`");
    }
    await method.check?.(record.spec);
    records.push(record);
  }
  return records;
}

async function saveAll(
  host: Host,
  method: SnapshotMethod,
  snapshot: SnapshotName,
  records: readonly DriverRecord[],
  { configuration, keys, signal, progress = () => {} }: CreateSnapshot,
): Promise<SnapshotRecord> {
  const { partial, complete } = snapshotFiles(host, snapshot);
  await host.files.makeFolder(snapshotsFolder(host, snapshot.stack), 0o700);
  // Before the first change, so that a killed creation is known.
  await writeCreating(host, snapshot);
  await host.files.remove(partial);
  for (const { spec } of records) await host.files.makeFolder(partFolder(partial, spec.name), 0o700);
  await host.files.makeFolder(partial, 0o700);
  const specs = records.map(({ spec }) => spec);
  const running: MachineSpec[] = [];
  for (const spec of specs) if (await method.isRunning(spec)) running.push(spec);
  progress(`pausing ${running.length} of ${specs.length} machines, and saving their disks`);
  const created = host.clock.dateTime();
  const scratch = scratchFolder(partial);
  await host.files.makeFolder(scratch, 0o700);
  const pausedMs = await whilePaused(host, method, running, { stack: snapshot.stack, folder: scratch, signal }, () =>
    inParallel(specs, async (spec) => {
      signal?.throwIfAborted();
      await method.save(spec, { snapshot: snapshot.name, folder: partFolder(partial, spec.name) }, signal);
    }),
  );
  await host.files.remove(scratch);
  progress(running.length > 0 ? `the machines run again, after ${(pausedMs / 1000).toFixed(1)} s` : "saved");
  const machines = await Promise.all(records.map((record) => describe(host, method, record, partial)));
  signal?.throwIfAborted();
  const kept = { ...snapshot, driver: method.driver, created, pausedMs, machines };
  const record: SnapshotRecord = {
    ...kept,
    ...(configuration !== undefined && { configuration }),
    ...(keys && { keys }),
  };
  await host.files.writeJson(recordIn(partial), record);
  await host.files.move(partial, complete);
  await removeCreating(host, snapshot.stack);
  return record;
}

/** Resumes the machines whatever happens. Returns how long they stood still, in ms. */
async function whilePaused(
  host: Host,
  method: SnapshotMethod,
  specs: readonly MachineSpec[],
  options: Parameters<SnapshotMethod["pause"]>[1],
  action: () => Promise<void>,
): Promise<number> {
  if (specs.length === 0) {
    await action();
    return 0;
  }
  const started = host.clock.now();
  try {
    const stillPaused = await method.pause(specs, options);
    await action();
    await stillPaused?.();
  } finally {
    await method.resume(specs);
  }
  return Math.round(host.clock.now() - started);
}

async function describe(
  host: Host,
  method: SnapshotMethod,
  { spec, owner, generation }: DriverRecord,
  folder: string,
): Promise<SnapshotMachine> {
  const bytes = method.drop ? await method.bytesOf(spec) : await host.trees.bytesOnDisk(partFolder(folder, spec.name));
  const disks = spec.disks.map(({ disk }) => disk);
  return { name: spec.name, owner, generation, image: spec.image, disks, bytes };
}

const exists = ({ stack, name }: SnapshotName): UserError =>
  new UserError(
    "snapshot-exists",
    `${stack} has a snapshot ${name} already`,
    `choose another name, or remove it first: \`npx groundplane snapshot delete ${name}\``,
  );
