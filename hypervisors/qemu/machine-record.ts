import * as path from "node:path";
import { dataFolder } from "../../host/data-folder";
import { listFolder } from "../../host/file-store";
import type { MachineName, Owner } from "../hypervisor";
import { type DriverRecord, machineRecords, refuseUnmarkedFolder } from "../machine-records";
import { machineFiles, machinesFolder } from "./folders";

/** A machine exists when its record is complete. */
export interface MachineRecord extends DriverRecord {
  /** Digest of the image that the machine's disk lies over, in hex. */
  readonly backing: string;
}

const records = machineRecords<MachineRecord>((machine) => machineFiles(machine).record);
export const { readRecord, readComplete, writeRecord } = records;

/** @throws ForeignObjectError also when a folder of its name is there that nobody marked */
export async function ownedRecord(machine: MachineName, owner: Owner): Promise<MachineRecord | undefined> {
  const record = await records.ownedRecord(machine, owner);
  if (record === undefined) await refuseUnmarkedFolder(machineFiles(machine).folder);
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
