import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Host } from "../../model/host";
import { shutdownMs } from "../../model/hypervisor-objects";
import { namingFullDisk } from "../full-disk";
import type { MachineName, MachineSpec, MachineState, Owner, SeedFiles } from "../hypervisor";
import { creatingSnapshot } from "../snapshots/snapshot-files";
import { dropFormer, presentDisk, type SystemDiskOf, settled } from "../system-disks";
import { machineFiles, machinesFolder } from "./folders";
import { backingOf } from "./images";
import { cutPower, isPaused, stopOrderly } from "./machine-power";
import { type MachineRecord, ownedRecord, readComplete, writeRecord } from "./machine-record";
import { checkNames, qmpSocket, runtimeFolder } from "./names";
import { isNetworkUp, type NetworkOptions, shrinkNetwork } from "./network";
import { isRunning } from "./processes";
import { withQmp } from "./qmp";
import { checkSystemDisk, ensureSystemDisk, removeSystemDisk, writeSeed } from "./system-disk";
import { changeForwards } from "./uplink";

/** An emulated guest needs longer than one at native speed. */
const SLOW_GUEST_MS = 120_000;
const stopDeadlineMs = (spec: MachineSpec): number => Math.max(SLOW_GUEST_MS, shutdownMs(spec));
const MIB = 1024 ** 2;

/** Allows one change of a machine at a time. */
export const withMachineLock = <T>(host: Host, machine: MachineName, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(path.join(runtimeFolder(host, machine.stack), `lock.${machine.name}`), action, {
    timeoutMs: 300_000,
  });

export async function ensureMachine(
  host: Host,
  spec: MachineSpec,
  seed: SeedFiles,
  owner: Owner,
): Promise<MachineState> {
  checkNames(host, spec);
  return withMachineLock(host, spec, () =>
    namingFullDisk(machineFiles(host, spec).folder, () => makeMachine(host, spec, seed, owner)),
  );
}

async function makeMachine(host: Host, spec: MachineSpec, seed: SeedFiles, owner: Owner): Promise<MachineState> {
  const owned = await ownedRecord(host, spec, owner);
  const known = owned && (await settled(host, owned, diskOf(host, spec)));
  const record = known?.complete
    ? await changeMachine(host, known, spec)
    : await beginMachine(host, known, spec, owner);
  await ensureSystemDisk(host, spec, record.backing);
  await writeSeed(host, spec, seed);
  await writeRecord(host, { ...record, complete: true });
  return stateOf(host, record);
}

export async function inspectMachine(host: Host, machine: MachineName): Promise<MachineState | undefined> {
  const record = await readComplete(host, machine);
  return record && stateOf(host, record);
}

export async function removeMachine(
  host: Host,
  machine: MachineName,
  owner: Owner,
  options: NetworkOptions,
): Promise<void> {
  await withMachineLock(host, machine, async () => {
    const record = await ownedRecord(host, machine, owner);
    if (record !== undefined) {
      // Mark it incomplete first: after an interruption, it must not count as a machine that can start.
      await writeRecord(host, { ...record, complete: false });
      await cutPower(host, machine);
      const { folder, record: recordFile } = machineFiles(host, machine);
      for (const file of await host.files.list(folder)) {
        if (file !== path.basename(recordFile)) await host.files.remove(path.join(folder, file));
      }
    }
    await host.files.remove(machineFiles(host, machine).folder);
  });
  await shrinkNetwork(host, machine.stack, options);
}

export async function listMachines(host: Host, stack: string): Promise<readonly MachineName[]> {
  return (await host.files.list(machinesFolder(host, stack))).map((name) => ({ stack, name }));
}

async function beginMachine(
  host: Host,
  known: MachineRecord | undefined,
  spec: MachineSpec,
  owner: Owner,
): Promise<MachineRecord> {
  const { hex } = await backingOf(host, spec.image);
  const record = { owner, generation: known?.generation ?? randomUUID(), spec, backing: hex, complete: false };
  await writeRecord(host, record);
  // Remains of an interrupted creation or removal may belong to another image.
  await cutPower(host, spec);
  await removeSystemDisk(host, spec);
  return record;
}

/** Changes what differs. The caller writes the record afterwards, so that an interrupted change is repeated. */
async function changeMachine(host: Host, known: MachineRecord, spec: MachineSpec): Promise<MachineRecord> {
  if (known.spec.image !== spec.image) return exchangeImage(host, known, spec);
  if (await host.files.exists(machineFiles(host, spec).disk)) await checkSystemDisk(host, spec, known.backing);
  if (isDeepStrictEqual(known.spec, plain(spec)) || !(await isRunning(host, spec)))
    return { ...known, spec: plain(spec) };
  const fixed = isDeepStrictEqual(fixedWhileRunning(known.spec), fixedWhileRunning(plain(spec)));
  if (!fixed || !(await changeMemory(host, spec))) await stopOrderly(host, spec, stopDeadlineMs(spec));
  else await changeForwards(host, spec, known.spec.uplink?.forwards ?? [], spec.uplink?.forwards ?? []);
  return { ...known, spec: plain(spec) };
}

/** The guest's changes to the old image do not fit another one: it starts from scratch, as a new machine. */
async function exchangeImage(host: Host, known: MachineRecord, spec: MachineSpec): Promise<MachineRecord> {
  const { hex } = await backingOf(host, spec.image);
  await stopOrderly(host, spec, stopDeadlineMs(spec));
  const only = await dropFormer(host, known, diskOf(host, spec));
  const fresh = { ...only, spec: plain(spec), backing: hex, generation: randomUUID(), complete: false };
  await writeRecord(host, fresh);
  await removeSystemDisk(host, spec);
  return fresh;
}

export function diskOf(host: Host, machine: MachineName): SystemDiskOf<MachineRecord> {
  const { folder, disk } = machineFiles(host, machine);
  return {
    folder,
    parts: [path.basename(disk)],
    recorded: ["backing"],
    writeRecord: (record) => writeRecord(host, record),
    stop: ({ spec }) => stopOrderly(host, spec, stopDeadlineMs(spec)),
  };
}

/** Settings that need a stopped machine. Disks can grow while it runs. */
const fixedWhileRunning = ({ cpus, nics, uplink, disks }: MachineSpec) => ({ cpus, nics, disks, mac: uplink?.mac });

/** Takes memory from the guest or returns it, up to what it started with. Returns false for more than that. */
async function changeMemory(host: Host, spec: MachineSpec): Promise<boolean> {
  return withQmp(host, qmpSocket(host, spec), async (qmp) => {
    const present = await qmp.execute<{ "base-memory": number }>("query-memory-size-summary");
    if (spec.memoryMiB * MIB > present["base-memory"]) return false;
    await qmp.execute("balloon", { value: spec.memoryMiB * MIB });
    return true;
  });
}

/** The spec as it is read back from its record: without members that are `undefined`. */
const plain = (spec: MachineSpec): MachineSpec => JSON.parse(JSON.stringify(spec)) as MachineSpec;

/**
 * A machine whose switch has died has no network, and a killed snapshot has left machines paused. They count as stopped, so that the
 * next `up` repairs them.
 */
export async function stateOf(host: Host, record: MachineRecord): Promise<MachineState> {
  const { spec, owner, generation } = record;
  const mayBePaused = (await creatingSnapshot(host, spec.stack)) !== undefined;
  const running =
    (await isRunning(host, spec)) &&
    (await isNetworkUp(host, spec.stack)) &&
    !(mayBePaused && (await isPaused(host, spec)));
  return { ...presentDisk(record), owner, generation, power: running ? "running" : "stopped" };
}
