import type { Host } from "../../model/host";
import type { MachineName, Owner } from "../hypervisor";
import { type DriverRecord, machineRecords, refuseUnmarkedFolder } from "../machine-records";
import { machineFiles } from "./folders";

/** A machine exists when its record is complete. */
export type MachineRecord = DriverRecord;

const records = machineRecords<MachineRecord>((host, machine) => machineFiles(host, machine).record);
export const { readRecord, readComplete, writeRecord } = records;

/** @throws ForeignObjectError also when a folder of its name is there that nobody marked */
export async function ownedRecord(host: Host, machine: MachineName, owner: Owner): Promise<MachineRecord | undefined> {
  const record = await records.ownedRecord(host, machine, owner);
  if (record === undefined) await refuseUnmarkedFolder(host, machineFiles(host, machine).folder);
  return record;
}
