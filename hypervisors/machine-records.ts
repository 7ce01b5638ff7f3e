import { formerMachineProperties } from "../model/former-names";
import type { Host } from "../model/host";
import { UserError } from "../model/user-error";
import { ForeignObjectError, isOwner, type MachineName, type MachineSpec, type Owner } from "./hypervisor";

/**
 * A driver's record of a machine. It is written twice: with the owner before anything else is created, so that the remains
 * of an interrupted creation have an owner, and as complete at the end.
 */
export interface DriverRecord {
  readonly owner: Owner;
  readonly generation: string;
  readonly spec: MachineSpec;
  readonly complete: boolean;
  /** The system disk that was set aside for another one; absent = none. */
  readonly former?: FormerDisk;
}

/** A system disk that was set aside. */
export interface FormerDisk {
  readonly image: string;
  /** Names in the machine's folder. */
  readonly parts: readonly string[];
  /** `leaving`: its parts are being moved away, and there is no other disk; `returning`: they are being moved back. */
  readonly step: "leaving" | "aside" | "returning";
  /** What the driver recorded of it. */
  readonly kept?: Readonly<Record<string, unknown>>;
}

export interface MachineRecords<R extends DriverRecord> {
  readRecord(host: Host, machine: MachineName): Promise<R | undefined>;
  /** The record of a machine whose creation was completed. */
  readComplete(host: Host, machine: MachineName): Promise<R | undefined>;
  writeRecord(host: Host, record: R): Promise<void>;
  /**
   * The machine's record if the owner may touch it; `undefined` when there is none.
   * @throws ForeignObjectError when it has another owner
   */
  ownedRecord(host: Host, machine: MachineName, owner: Owner): Promise<R | undefined>;
}

/** A recorded spec without the settings of earlier versions: a running machine must not change because of them. */
export const presentSpec = (recorded: MachineSpec): MachineSpec =>
  Object.fromEntries(
    Object.entries(recorded).filter(([key]) => !Object.hasOwn(formerMachineProperties, key)),
  ) as unknown as MachineSpec;

/** @param fileOf path of a machine's record */
export function machineRecords<R extends DriverRecord>(
  fileOf: (host: Host, machine: MachineName) => string,
): MachineRecords<R> {
  const readRecord = async (host: Host, machine: MachineName): Promise<R | undefined> => {
    const record = await host.files.readJson<R>(fileOf(host, machine));
    return record && { ...record, spec: presentSpec(record.spec) };
  };
  return {
    readRecord,
    async readComplete(host, machine) {
      const record = await readRecord(host, machine);
      return record?.complete ? record : undefined;
    },
    writeRecord: (host, record) => host.files.writeJson(fileOf(host, record.spec), record),
    async ownedRecord(host, machine, owner) {
      const record = await readRecord(host, machine);
      if (record && !isOwner(record.owner, owner)) {
        throw new ForeignObjectError(`machine ${machine.name}`, record.owner);
      }
      return record;
    },
  };
}

/** @throws ForeignObjectError when a machine's folder has content but no record of its owner */
export async function refuseUnmarkedFolder(host: Host, folder: string): Promise<void> {
  // Only the temporary file of an interrupted first write may exist.
  const content = await host.files.list(folder);
  if (content.some((file) => !file.endsWith(".tmp"))) throw new ForeignObjectError(`folder ${folder}`, undefined);
}

type Action = (spec: MachineSpec) => Promise<void>;

/** Runs actions on existing machines, one at a time on each. */
export interface MachineActions {
  /** @throws UserError `machine-missing` */
  withMachine(machine: MachineName, action: Action): Promise<void>;
  /** Does nothing when there is no such machine. */
  withExistingMachine(machine: MachineName, action: Action): Promise<void>;
}

export function machineActions(
  withLock: (machine: MachineName, action: () => Promise<void>) => Promise<void>,
  readComplete: (machine: MachineName) => Promise<DriverRecord | undefined>,
): MachineActions {
  return {
    withMachine: (machine, action) =>
      withLock(machine, async () => {
        const record = await readComplete(machine);
        if (!record) throw machineMissing(machine);
        await action(record.spec);
      }),
    withExistingMachine: (machine, action) =>
      withLock(machine, async () => {
        const record = await readComplete(machine);
        if (record) await action(record.spec);
      }),
  };
}

export const machineMissing = ({ stack, name }: MachineName): UserError =>
  new UserError("machine-missing", `there is no machine ${name} in ${stack}`, "create it: pulumi up");
