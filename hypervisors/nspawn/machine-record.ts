import type { MachineName, Owner } from "../hypervisor";
import { type DriverRecord, machineRecords, refuseUnmarkedFolder } from "../machine-records";
import { machineFiles } from "./folders";

/** A machine exists when its record is complete. */
export type MachineRecord = DriverRecord;

const records = machineRecords<MachineRecord>((machine) => machineFiles(machine).record);
export const { readRecord, readComplete, writeRecord } = records;

/** @throws ForeignObjectError also when a folder of its name is there that nobody marked */
export async function ownedRecord(machine: MachineName, owner: Owner): Promise<MachineRecord | undefined> {
  const record = await records.ownedRecord(machine, owner);
  if (record === undefined) await refuseUnmarkedFolder(machineFiles(machine).folder);
  return record;
}
