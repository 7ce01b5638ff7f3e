import { readJson, writeJson } from "../../host/file-store";
import { ForeignObjectError, type MachineName, type MachineSpec, type Owner } from "../../hypervisor";
import { machineFiles } from "./folders";
import { isOwner } from "./ownership";

/**
 * What VirtualBox cannot hold of a machine: whose it is, which creation it is, and what of its plan has no place in
 * there. Written with the owner before anything is made, and complete when everything is.
 */
export interface MachineRecord {
  readonly owner: Owner;
  readonly generation: string;
  readonly spec: MachineSpec;
  /** Seed's file name in the machine's folder. */
  readonly seed: string;
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
 * @throws ForeignObjectError when it is somebody else's
 */
export async function ownedRecord(machine: MachineName, owner: Owner): Promise<MachineRecord | undefined> {
  const record = await readRecord(machine);
  if (record && !isOwner(record.owner, owner)) throw new ForeignObjectError(`machine ${machine.name}`, record.owner);
  return record;
}

/** The mark on the machine itself, so that another data folder or a lost record does not make it anybody's. */
export const MARK = "groundplane/owner";
export const markOf = ({ owner, generation }: MachineRecord): string => JSON.stringify({ ...owner, generation });
