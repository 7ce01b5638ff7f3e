import { type DriverRecord, machineRecords } from "../machine-records";
import { machineFiles } from "./folders";

/**
 * What VirtualBox cannot hold of a machine: whose it is, which creation it is, and what of its plan has no place in
 * there.
 */
export interface MachineRecord extends DriverRecord {
  /** Seed's file name in the machine's folder. */
  readonly seed: string;
}

export const { readRecord, readComplete, writeRecord, ownedRecord } = machineRecords<MachineRecord>(
  (host, machine) => machineFiles(host, machine).record,
);

/** The mark on the machine itself, so that another data folder or a lost record does not make it anybody's. */
export const MARK = "groundplane/owner";
export const markOf = ({ owner, generation }: MachineRecord): string => JSON.stringify({ ...owner, generation });
