import { type DriverRecord, machineRecords } from "../machine-records";
import { machineFiles } from "./folders";

/**
 * The data of a machine that VirtualBox cannot store: its owner, its generation, and the parts of its plan that have
 * no setting in VirtualBox.
 */
export interface MachineRecord extends DriverRecord {
  /** The seed's file name in the machine's folder. */
  readonly seed: string;
}

export const { readRecord, readComplete, writeRecord, ownedRecord } = machineRecords<MachineRecord>(
  (host, machine) => machineFiles(host, machine).record,
);

/** The mark on the machine. It keeps the owner known if the record is lost or another data folder is used. */
export const MARK = "groundplane/owner";
export const markOf = ({ owner, generation }: MachineRecord): string => JSON.stringify({ ...owner, generation });
