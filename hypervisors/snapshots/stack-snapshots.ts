import type { Host } from "../../model/host";
import type { SnapshotName, SnapshotRecord, SnapshotState } from "../../model/stack-snapshots";
import { UserError } from "../../model/user-error";
import type { Snapshots } from "../hypervisor";
import type { DriverRecord } from "../machine-records";
import { createSnapshot, dropParts } from "./create-snapshot";
import { differences, refuseDifferent } from "./differences";
import { restoreSnapshot } from "./restore-snapshot";
import {
  creatingSnapshot,
  partFolder,
  pendingSnapshot,
  readSnapshot,
  readSnapshots,
  removeCreating,
  removeLeftovers,
  snapshotFiles,
  snapshotsLock,
  unfinishedSnapshot,
} from "./snapshot-files";
import type { SnapshotMethod } from "./snapshot-method";

/** Snapshots of stacks on a driver that can pause its machines and save, put back and drop their disks. */
export function stackSnapshots(host: Host, method: SnapshotMethod): Snapshots {
  const changing = <T>(stack: string, action: () => Promise<T>): Promise<T> =>
    host.locks.withLock(
      snapshotsLock(host, stack),
      async () => {
        await endInterruptedCreation(host, method, stack);
        return action();
      },
      { timeoutMs: 10_000 },
    );
  const known = async (snapshot: SnapshotName): Promise<SnapshotRecord> =>
    (await readSnapshot(host, snapshot)) ?? (await missing(host, snapshot));
  return {
    createSnapshot: (snapshot, options = {}) =>
      changing(snapshot.stack, async () => {
        await refuseInterruptedRestore(host, snapshot.stack);
        const record = await createSnapshot(host, method, snapshot, options);
        return stateOf(host, method, record, await presentMachines(method, snapshot.stack));
      }),

    async listSnapshots(stack) {
      const present = await presentMachines(method, stack);
      return Promise.all((await readSnapshots(host, stack)).map((record) => stateOf(host, method, record, present)));
    },

    async restoreSnapshot(snapshot, options = {}) {
      await known(snapshot);
      return changing(snapshot.stack, async () => {
        const record = await known(snapshot);
        const present = await presentMachines(method, snapshot.stack);
        refuseDifferent(record, present);
        await restoreSnapshot(host, method, record, present, options);
        return stateOf(host, method, record, present);
      });
    },

    async deleteSnapshot(snapshot) {
      await known(snapshot);
      await changing(snapshot.stack, async () => {
        const record = await known(snapshot);
        await refuseInterruptedRestore(host, snapshot.stack);
        await removeSnapshot(host, method, record);
      });
    },

    interruptedRestore: ({ stack }) => pendingSnapshot(host, stack),
    unfinishedSnapshot: (stack) => unfinishedSnapshot(host, stack),
  };
}

/** The stack's machines whose creation was completed. */
async function presentMachines(method: SnapshotMethod, stack: string): Promise<readonly DriverRecord[]> {
  const machines = await method.listMachines(stack);
  const records = await Promise.all(machines.map((machine) => method.readRecord(machine)));
  return records.filter((record) => record !== undefined);
}

async function stateOf(
  host: Host,
  method: SnapshotMethod,
  record: SnapshotRecord,
  present: readonly DriverRecord[],
): Promise<SnapshotState> {
  const obstacles = differences(record, present);
  const state = { ...record, bytes: await bytesNow(host, method, record, present) };
  return obstacles.length > 0 ? { ...state, obstacle: obstacles.join("; ") } : state;
}

/** Layers occupy what the disks have grown by until the next snapshot, or until now. */
async function bytesNow(
  host: Host,
  method: SnapshotMethod,
  record: SnapshotRecord,
  present: readonly DriverRecord[],
): Promise<number> {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  if (!method.drop) return sum(record.machines.map(({ bytes }) => bytes));
  const later = (await readSnapshots(host, record.stack)).find(({ created }) => created > record.created);
  const grown = record.machines.map(async ({ name, bytes }) => {
    const then = later?.machines.find((machine) => machine.name === name)?.bytes;
    const spec = present.find((machine) => machine.spec.name === name)?.spec;
    return Math.max(0, (then ?? (spec ? await method.bytesOf(spec) : bytes)) - bytes);
  });
  return sum(await Promise.all(grown));
}

/** A creation whose mark is there was killed: the caller has its lock. */
async function endInterruptedCreation(host: Host, method: SnapshotMethod, stack: string): Promise<void> {
  const creating = await creatingSnapshot(host, stack);
  if (creating !== undefined) {
    const present = await presentMachines(method, stack);
    await method.resume(present.map(({ spec }) => spec));
    await dropParts(host, method, { stack, name: creating }, present);
    await removeCreating(host, stack);
  }
  await removeLeftovers(host, stack);
}

async function removeSnapshot(host: Host, method: SnapshotMethod, record: SnapshotRecord): Promise<void> {
  const { complete, deleted } = snapshotFiles(host, record);
  const present = await presentMachines(method, record.stack);
  for (const { spec } of present) {
    const part = { snapshot: record.name, folder: partFolder(complete, spec.name) };
    await method.withMachineLock(spec, async () => method.drop?.(spec, part));
  }
  // In one step: a folder with its name is a complete snapshot.
  await host.files.move(complete, deleted);
  await host.files.remove(deleted);
}

async function refuseInterruptedRestore(host: Host, stack: string): Promise<void> {
  const name = await pendingSnapshot(host, stack);
  if (name === undefined) return;
  throw new UserError(
    "restore-interrupted",
    `the restore of the snapshot ${name} was interrupted: some machines still have their former disks`,
    `complete it: \`npx groundplane snapshot restore ${name}\`, or \`npx groundplane start\``,
  );
}

/** @throws UserError `snapshot-missing` */
async function missing(host: Host, { stack, name }: SnapshotName): Promise<never> {
  const names = (await readSnapshots(host, stack)).map((snapshot) => snapshot.name);
  throw new UserError(
    "snapshot-missing",
    `${stack} has no snapshot ${name}`,
    names.length > 0
      ? `use one of these: ${names.join(", ")}`
      : `it has none; create one: \`npx groundplane snapshot create ${name}\``,
  );
}
