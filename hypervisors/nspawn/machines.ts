import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Host } from "../../model/host";
import { shutdownMs } from "../../model/hypervisor-objects";
import type { MachineName, MachineSpec, MachineState, Owner, SeedFiles } from "../hypervisor";
import { type DriverRecord, machineRecords, refuseUnmarkedFolder } from "../machine-records";
import { dropFormer, presentDisk, type SystemDiskOf, settled } from "../system-disks";
import { setCapacity } from "./capacity";
import { lockFile, machineFiles, machinesFolder } from "./folders";
import { isFrozen } from "./freezer";
import { cutPower, isRunning, stopOrderly } from "./machine-power";
import { imageLayers, makeRoot, removeRoot, writeSeed } from "./machine-root";
import { checkNames } from "./names";
import { releaseStack } from "./segments";
import { endUplink, ensureUplink } from "./uplink";

/** A machine exists when its record is complete. */
const records = machineRecords<DriverRecord>((host, machine) => machineFiles(host, machine).record);
export const { readComplete, readRecord, writeRecord } = records;

/** @throws ForeignObjectError also when a folder of its name exists without an owner's mark */
export async function ownedRecord(host: Host, machine: MachineName, owner: Owner): Promise<DriverRecord | undefined> {
  const record = await records.ownedRecord(host, machine, owner);
  if (record === undefined) await refuseUnmarkedFolder(host, machineFiles(host, machine).folder);
  return record;
}

/** Allows one change of a machine at a time. */
export const withMachineLock = <T>(host: Host, machine: MachineName, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(lockFile(`${machine.stack}.${machine.name}`), action, { timeoutMs: 180_000 });

export async function ensureMachine(
  host: Host,
  spec: MachineSpec,
  seed: SeedFiles,
  owner: Owner,
): Promise<MachineState> {
  checkNames(spec, [...spec.nics.map((nic) => nic.name), ...spec.nics.map((nic) => nic.segment)]);
  return withMachineLock(host, spec, async () => {
    const owned = await ownedRecord(host, spec, owner);
    const known = owned && (await settled(host, owned, diskOf(host, spec)));
    await imageLayers(host, spec.image);
    const record = known?.complete
      ? await changeMachine(host, known, spec)
      : await beginMachine(host, known, spec, owner);
    await makeRoot(host, spec);
    await writeSeed(host, spec, seed);
    await writeRecord(host, { ...record, complete: true });
    return stateOf(host, record);
  });
}

export async function inspectMachine(host: Host, machine: MachineName): Promise<MachineState | undefined> {
  const record = await readComplete(host, machine);
  return record && stateOf(host, record);
}

export async function removeMachine(host: Host, machine: MachineName, owner: Owner): Promise<void> {
  await withMachineLock(host, machine, async () => {
    const record = await ownedRecord(host, machine, owner);
    if (record === undefined) return host.files.remove(machineFiles(host, machine).folder);
    // Mark it incomplete first: after an interruption, it must not count as a machine that can start.
    await writeRecord(host, { ...record, complete: false });
    await cutPower(host, record.spec);
    const { folder, upper, work, root, seed, containerd, contentWork, kubelet, podDisk } = machineFiles(host, machine);
    const halves = [`${containerd}.half`, `${podDisk}.half`];
    for (const part of [seed, upper, work, root, containerd, contentWork, kubelet, podDisk, ...halves])
      await host.files.remove(part);
    await host.files.remove(folder);
  });
  await releaseStack(host, machine.stack);
}

export async function listMachines(host: Host, stack: string): Promise<readonly MachineName[]> {
  return (await host.files.list(machinesFolder(host, stack))).map((name) => ({ stack, name }));
}

async function beginMachine(
  host: Host,
  known: DriverRecord | undefined,
  spec: MachineSpec,
  owner: Owner,
): Promise<DriverRecord> {
  const record = { owner, generation: known?.generation ?? randomUUID(), spec, complete: false };
  await writeRecord(host, record);
  // Remains of an interrupted creation or removal may belong to another image.
  await cutPower(host, known?.spec ?? spec);
  await removeRoot(host, spec);
  return record;
}

/** Changes what differs. The caller writes the record afterwards, so that an interrupted change is repeated. */
async function changeMachine(host: Host, known: DriverRecord, spec: MachineSpec): Promise<DriverRecord> {
  if (isDeepStrictEqual(known.spec, plain(spec))) return known;
  const running = await isRunning(host, spec);
  if (running && !isDeepStrictEqual(fixedWhileRunning(known.spec), fixedWhileRunning(plain(spec)))) {
    await stopOrderly(host, known.spec, shutdownMs(known.spec));
  } else if (running) {
    await setCapacity(host, spec);
    // What it may reach is fixed when it starts.
    if (!isDeepStrictEqual(known.spec.uplink?.reachable, plain(spec).uplink?.reachable)) await endUplink(host, spec);
    await ensureUplink(host, spec);
  }
  if (known.spec.image === spec.image) return { ...known, spec: plain(spec) };
  // The guest's changes to the old image do not fit another one: it starts from scratch, as a new machine.
  const only = await dropFormer(host, known, diskOf(host, spec));
  const fresh = { ...only, spec: plain(spec), generation: randomUUID(), complete: false };
  await writeRecord(host, fresh);
  await removeRoot(host, spec);
  return fresh;
}

export function diskOf(host: Host, machine: MachineName): SystemDiskOf<DriverRecord> {
  const { folder, upper, work, containerd, contentWork, kubelet, podDisk } = machineFiles(host, machine);
  return {
    folder,
    parts: [upper, work, containerd, contentWork, kubelet, podDisk].map((part) => path.basename(part)),
    writeRecord: (record) => writeRecord(host, record),
    stop: ({ spec }) => stopOrderly(host, spec, shutdownMs(spec)),
  };
}

/** Settings that need a stopped machine. The file system of `diskGiB` grows at the next start. */
const fixedWhileRunning = ({ uuid, image, nics, uplink, disks }: MachineSpec) => ({
  ...{ uuid, image, nics, disks },
  mac: uplink?.mac,
});

/** The spec as it is read back from its record: without members that are `undefined`. */
const plain = (spec: MachineSpec): MachineSpec => JSON.parse(JSON.stringify(spec)) as MachineSpec;

export async function stateOf(host: Host, record: DriverRecord): Promise<MachineState> {
  const { owner, generation } = record;
  // The next `up` starts, and so thaws, what a killed snapshot has left frozen.
  const runs = (await isRunning(host, record.spec)) && !(await isFrozen(host, record.spec));
  const power = runs ? "running" : "stopped";
  return { ...presentDisk(record), owner, generation, power };
}
