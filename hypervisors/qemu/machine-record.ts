import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineName, Owner } from "../hypervisor";
import { type DriverRecord, machineRecords, refuseUnmarkedFolder } from "../machine-records";
import { machineFiles, machinesFolder } from "./folders";

/** A machine exists when its record is complete. */
export interface MachineRecord extends DriverRecord {
  /** Digest of the image that backs the machine's disk, in hex. */
  readonly backing: string;
}

const records = machineRecords<MachineRecord>((host, machine) => machineFiles(host, machine).record);
export const { readRecord, readComplete, writeRecord } = records;

/** @throws ForeignObjectError also when a folder of its name exists without an owner's mark */
export async function ownedRecord(host: Host, machine: MachineName, owner: Owner): Promise<MachineRecord | undefined> {
  const record = await records.ownedRecord(host, machine, owner);
  if (record === undefined) await refuseUnmarkedFolder(host, machineFiles(host, machine).folder);
  return record;
}

/** The records of a stack's machines, complete or not. */
export async function stackRecords(host: Host, stack: string): Promise<readonly MachineRecord[]> {
  const names = await host.files.list(machinesFolder(host, stack));
  const records = await Promise.all(names.map((name) => readRecord(host, { stack, name })));
  return records.filter((record) => record !== undefined);
}

/** Digests of the images that back a machine of any stack, or a disk that was set aside. */
export async function backingsInUse(host: Host): Promise<ReadonlySet<string>> {
  const stacks = await host.files.list(path.join(host.folders.data(), "stacks"));
  const records = await Promise.all(stacks.map((stack) => stackRecords(host, stack)));
  const digests = records.flat().flatMap(({ backing, former }) => [backing, former?.kept?.backing]);
  return new Set(digests.filter((digest) => typeof digest === "string"));
}
