import * as path from "node:path";
import { dataFolder } from "../../host/data-folder";
import { listFolder, readJson, writeJson } from "../../host/file-store";
import { ForeignObjectError, type MachineName, type MachineSpec, type Owner } from "../../hypervisor";
import { isOwner } from "../ownership";
import { machineFiles, machinesFolder } from "./folders";

/**
 * A machine exists when its record is complete. The record is written twice: with the owner before anything else is
 * made, so that what an interrupted creation left is known as ours, and complete at the end.
 */
export interface MachineRecord {
  readonly owner: Owner;
  readonly generation: string;
  readonly spec: MachineSpec;
  /** Digest of the image that the machine's disk lies over, in hex. */
  readonly backing: string;
  readonly complete: boolean;
}

export function readRecord(machine: MachineName): Promise<MachineRecord | undefined> {
  return readJson<MachineRecord>(machineFiles(machine).record);
}

export async function readComplete(machine: MachineName): Promise<MachineRecord | undefined> {
  const record = await readRecord(machine);
  return record?.complete ? record : undefined;
}

export function writeRecord(record: MachineRecord): Promise<void> {
  return writeJson(machineFiles(record.spec).record, record);
}

/**
 * The machine's record if the owner may touch it; `undefined` when there is none.
 * @throws ForeignObjectError when it is somebody else's, or a folder of its name is that nobody marked
 */
export async function ownedRecord(machine: MachineName, owner: Owner): Promise<MachineRecord | undefined> {
  const record = await readRecord(machine);
  if (record && !isOwner(record.owner, owner)) throw new ForeignObjectError(`machine ${machine.name}`, record.owner);
  if (record === undefined) {
    // The temporary file of an interrupted first write may lie there, nothing else.
    const content = await listFolder(machineFiles(machine).folder);
    if (content.some((file) => !file.endsWith(".tmp"))) {
      throw new ForeignObjectError(`folder ${machineFiles(machine).folder}`, undefined);
    }
  }
  return record;
}

/** The records of a stack's machines, complete or not. */
export async function stackRecords(stack: string): Promise<readonly MachineRecord[]> {
  const names = await listFolder(machinesFolder(stack));
  const records = await Promise.all(names.map((name) => readRecord({ stack, name })));
  return records.filter((record) => record !== undefined);
}

/** Digests of the images that a machine of any stack lies over. */
export async function backingsInUse(): Promise<ReadonlySet<string>> {
  const stacks = await listFolder(path.join(dataFolder(), "stacks"));
  const records = await Promise.all(stacks.map(stackRecords));
  return new Set(records.flat().map(({ backing }) => backing));
}
