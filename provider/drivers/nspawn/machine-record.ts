import { listFolder, readJson, writeJson } from "../../host/file-store";
import { ForeignObjectError, type MachineName, type MachineSpec, type Owner } from "../../hypervisor";
import { isOwner } from "../ownership";
import { machineFiles } from "./folders";

/**
 * A machine exists when its record is complete. The record is written twice: with the owner before anything else is
 * made, so that what an interrupted creation left is known as ours, and complete at the end.
 */
export interface MachineRecord {
  readonly owner: Owner;
  readonly generation: string;
  readonly spec: MachineSpec;
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
