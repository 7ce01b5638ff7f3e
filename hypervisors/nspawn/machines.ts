import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { withFileLock } from "../../host/file-lock";
import { listFolder, removeTree } from "../../host/file-store";
import type { MachineName, MachineSpec, MachineState, Owner, SeedFiles } from "../hypervisor";
import { setMemory, setWeight } from "./cgroups";
import { lockFile, machineFiles, machinesFolder } from "./folders";
import { cutPower, isRunning, stopOrderly } from "./machine-power";
import { type MachineRecord, ownedRecord, readComplete, writeRecord } from "./machine-record";
import { imageLayers, makeRoot, removeRoot, writeSeed } from "./machine-root";
import { checkNames } from "./names";
import { releaseStack } from "./segments";
import { ensureForwards } from "./uplink";

/** How long a machine may take to shut down when a change of its settings needs it stopped. */
const STOP_DEADLINE_MS = 30_000;

/** One change of a machine at a time, whoever asks. */
export const withMachineLock = <T>(machine: MachineName, action: () => Promise<T>): Promise<T> =>
  withFileLock(lockFile(`${machine.stack}.${machine.name}`), action, { timeoutMs: 180_000 });

export async function ensureMachine(spec: MachineSpec, seed: SeedFiles, owner: Owner): Promise<MachineState> {
  checkNames(spec, [...spec.nics.map((nic) => nic.name), ...spec.nics.map((nic) => nic.segment)]);
  return withMachineLock(spec, async () => {
    const known = await ownedRecord(spec, owner);
    await imageLayers(spec.image);
    const record = known?.complete ? await changeMachine(known, spec) : await beginMachine(known, spec, owner);
    await makeRoot(spec);
    await writeSeed(spec, seed);
    await writeRecord({ ...record, complete: true });
    return stateOf(record);
  });
}

export async function inspectMachine(machine: MachineName): Promise<MachineState | undefined> {
  const record = await readComplete(machine);
  return record && stateOf(record);
}

export async function removeMachine(machine: MachineName, owner: Owner): Promise<void> {
  await withMachineLock(machine, async () => {
    const record = await ownedRecord(machine, owner);
    if (record === undefined) return removeTree(machineFiles(machine).folder);
    // Not complete any more: interrupted from here on, it is not taken for a machine that can start.
    await writeRecord({ ...record, complete: false });
    await cutPower(record.spec);
    const { folder, upper, work, root, seed, containerd } = machineFiles(machine);
    for (const part of [seed, upper, work, root, containerd, `${containerd}.half`]) await removeTree(part);
    await removeTree(folder);
  });
  await releaseStack(machine.stack);
}

export async function listMachines(stack: string): Promise<readonly MachineName[]> {
  return (await listFolder(machinesFolder(stack))).map((name) => ({ stack, name }));
}

async function beginMachine(known: MachineRecord | undefined, spec: MachineSpec, owner: Owner): Promise<MachineRecord> {
  const record = { owner, generation: known?.generation ?? randomUUID(), spec, complete: false };
  await writeRecord(record);
  // What an interrupted creation or removal left may be of another image.
  await cutPower(known?.spec ?? spec);
  await removeRoot(spec);
  return record;
}

/** Changes what differs; the record is written by the caller, so that an interrupted change is found and repeated. */
async function changeMachine(known: MachineRecord, spec: MachineSpec): Promise<MachineRecord> {
  if (isDeepStrictEqual(known.spec, plain(spec))) return known;
  const running = await isRunning(spec);
  if (running && !isDeepStrictEqual(fixedWhileRunning(known.spec), fixedWhileRunning(plain(spec)))) {
    await stopOrderly(known.spec, STOP_DEADLINE_MS);
  } else if (running) {
    await setWeight(spec, spec.cpuWeight);
    await setMemory(spec, spec.memoryMiB);
    await ensureForwards(spec);
  }
  if (known.spec.image === spec.image) return { ...known, spec: plain(spec) };
  // Another image under what the guest wrote over the old one would be neither: it starts afresh, as a new machine.
  const fresh = { ...known, spec: plain(spec), generation: randomUUID(), complete: false };
  await writeRecord(fresh);
  await removeRoot(spec);
  return fresh;
}

/** The settings that take a stopped machine; `cpus` and `diskGiB` are no limits in a system container. */
function fixedWhileRunning(spec: MachineSpec): unknown {
  const { cpuWeight: _weight, memoryMiB: _memory, cpus: _cpus, diskGiB: _disk, uplink, ...fixed } = spec;
  return { ...fixed, uplink: uplink?.mac };
}

/** As the record reads back: without members that are `undefined`. */
const plain = (spec: MachineSpec): MachineSpec => JSON.parse(JSON.stringify(spec)) as MachineSpec;

async function stateOf({ spec, owner, generation }: MachineRecord): Promise<MachineState> {
  return { spec, owner, generation, power: (await isRunning(spec)) ? "running" : "stopped" };
}
