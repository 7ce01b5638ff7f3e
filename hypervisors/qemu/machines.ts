import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { withFileLock } from "../../host/file-lock";
import { exists, listFolder, removeTree } from "../../host/file-store";
import type { MachineName, MachineSpec, MachineState, Owner, SeedFiles } from "../hypervisor";
import { machineFiles, machinesFolder } from "./folders";
import { namingFullDisk } from "./full-disk";
import { backingOf } from "./images";
import { cutPower, stopOrderly } from "./machine-power";
import { type MachineRecord, ownedRecord, readComplete, writeRecord } from "./machine-record";
import { checkNames, qmpSocket, runtimeFolder } from "./names";
import { isNetworkUp, type NetworkOptions, shrinkNetwork } from "./network";
import { isRunning } from "./processes";
import { withQmp } from "./qmp";
import { checkSystemDisk, ensureSystemDisk, removeSystemDisk, writeSeed } from "./system-disk";
import { changeForwards } from "./uplink";

/** How long a machine may take to shut down when a change of its settings needs it stopped. */
const STOP_DEADLINE_MS = 120_000;
const MIB = 1024 ** 2;

/** One change of a machine at a time, whoever asks. */
export const withMachineLock = <T>(machine: MachineName, action: () => Promise<T>): Promise<T> =>
  withFileLock(path.join(runtimeFolder(machine.stack), `lock.${machine.name}`), action, { timeoutMs: 300_000 });

export async function ensureMachine(spec: MachineSpec, seed: SeedFiles, owner: Owner): Promise<MachineState> {
  checkNames(spec);
  return withMachineLock(spec, () => namingFullDisk(machineFiles(spec).folder, () => makeMachine(spec, seed, owner)));
}

async function makeMachine(spec: MachineSpec, seed: SeedFiles, owner: Owner): Promise<MachineState> {
  const known = await ownedRecord(spec, owner);
  const record = known?.complete ? await changeMachine(known, spec) : await beginMachine(known, spec, owner);
  await ensureSystemDisk(spec, record.backing);
  await writeSeed(spec, seed);
  await writeRecord({ ...record, complete: true });
  return stateOf(record);
}

export async function inspectMachine(machine: MachineName): Promise<MachineState | undefined> {
  const record = await readComplete(machine);
  return record && stateOf(record);
}

export async function removeMachine(machine: MachineName, owner: Owner, options: NetworkOptions): Promise<void> {
  await withMachineLock(machine, async () => {
    const record = await ownedRecord(machine, owner);
    if (record !== undefined) {
      // Not complete any more: interrupted from here on, it is not taken for a machine that can start.
      await writeRecord({ ...record, complete: false });
      await cutPower(machine);
      const { folder, record: recordFile } = machineFiles(machine);
      for (const file of await listFolder(folder)) {
        if (file !== path.basename(recordFile)) await removeTree(path.join(folder, file));
      }
    }
    await removeTree(machineFiles(machine).folder);
  });
  await shrinkNetwork(machine.stack, options);
}

export async function listMachines(stack: string): Promise<readonly MachineName[]> {
  return (await listFolder(machinesFolder(stack))).map((name) => ({ stack, name }));
}

async function beginMachine(known: MachineRecord | undefined, spec: MachineSpec, owner: Owner): Promise<MachineRecord> {
  const { hex } = await backingOf(spec.image);
  const record = { owner, generation: known?.generation ?? randomUUID(), spec, backing: hex, complete: false };
  await writeRecord(record);
  // What an interrupted creation or removal left may be of another image.
  await cutPower(spec);
  await removeSystemDisk(spec);
  return record;
}

/** Changes what differs; the record is written by the caller, so that an interrupted change is found and repeated. */
async function changeMachine(known: MachineRecord, spec: MachineSpec): Promise<MachineRecord> {
  if (known.spec.image !== spec.image) return exchangeImage(known, spec);
  if (await exists(machineFiles(spec).disk)) await checkSystemDisk(spec, known.backing);
  if (isDeepStrictEqual(known.spec, plain(spec)) || !(await isRunning(spec))) return { ...known, spec: plain(spec) };
  const fixed = isDeepStrictEqual(fixedWhileRunning(known.spec), fixedWhileRunning(plain(spec)));
  if (!fixed || !(await changeMemory(spec))) await stopOrderly(spec, STOP_DEADLINE_MS);
  else await changeForwards(spec, known.spec.uplink?.forwards ?? [], spec.uplink?.forwards ?? []);
  return { ...known, spec: plain(spec) };
}

/** Another image under what the guest wrote over the old one would be neither: it starts afresh, as a new machine. */
async function exchangeImage(known: MachineRecord, spec: MachineSpec): Promise<MachineRecord> {
  const { hex } = await backingOf(spec.image);
  await stopOrderly(spec, STOP_DEADLINE_MS);
  const fresh = { ...known, spec: plain(spec), backing: hex, generation: randomUUID(), complete: false };
  await writeRecord(fresh);
  await removeSystemDisk(spec);
  return fresh;
}

/** What only a stopped machine can be given. Disks grow while it runs, and CPU weights are not for this driver. */
const fixedWhileRunning = ({ cpus, nics, uplink, disks }: MachineSpec) => ({ cpus, nics, disks, mac: uplink?.mac });

/** Takes memory from the guest or gives it back, up to what it started with. Returns false for more than that. */
async function changeMemory(spec: MachineSpec): Promise<boolean> {
  return withQmp(qmpSocket(spec), async (qmp) => {
    const present = await qmp.execute<{ "base-memory": number }>("query-memory-size-summary");
    if (spec.memoryMiB * MIB > present["base-memory"]) return false;
    await qmp.execute("balloon", { value: spec.memoryMiB * MIB });
    return true;
  });
}

/** As it reads back from its record: without keys that are undefined. */
const plain = (spec: MachineSpec): MachineSpec => JSON.parse(JSON.stringify(spec)) as MachineSpec;

/** A machine whose switch has died is cut off from everything: it counts as stopped, so that the next `up` mends it. */
async function stateOf({ spec, owner, generation }: MachineRecord): Promise<MachineState> {
  const running = (await isRunning(spec)) && (await isNetworkUp(spec.stack));
  return { spec, owner, generation, power: running ? "running" : "stopped" };
}
