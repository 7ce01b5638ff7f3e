import * as path from "node:path";
import { dataFolder } from "../../host/data-folder";
import {
  exists,
  listFolder,
  readJson,
  removeIfEmpty,
  removeTree,
  writeFileAtomic,
  writeJson,
} from "../../host/file-store";
import type { DiskSpec, MachineName, MachineSpec, Owner, PowerState, SeedFiles, SegmentSpec } from "../hypervisor";

/** What the fake hypervisor has, as files, so that separate processes see the same: `<data>/fake/<stack>/…`. */

export interface MachineRecord {
  readonly owner: Owner;
  /** Absent while the machine is being made. */
  readonly made?: { readonly spec: MachineSpec; readonly generation: string };
  readonly power: PowerState;
  readonly pulledLinks: readonly string[];
}

export type DiskRecord = DiskSpec & { readonly owner: Owner };

const fakeFolder = (): string => path.join(dataFolder(), "fake");
export const fakeStackFolder = (stack: string): string => path.join(fakeFolder(), stack);
export const fakeStacks = (): Promise<readonly string[]> => listFolder(fakeFolder());

const segmentFile = ({ stack, name }: SegmentSpec): string =>
  path.join(fakeStackFolder(stack), "segments", `${name}.json`);
const diskFile = ({ stack, name }: MachineName): string => path.join(fakeStackFolder(stack), "disks", `${name}.json`);
/** A machine's record, seed and disk (`root/`). */
export const machineFolder = ({ stack, name }: MachineName): string =>
  path.join(fakeStackFolder(stack), "machines", name);
const recordFile = (machine: MachineName): string => path.join(machineFolder(machine), "machine.json");

export const readSegment = (spec: SegmentSpec) => readJson<{ readonly owner: Owner }>(segmentFile(spec));
export const writeSegment = (spec: SegmentSpec, owner: Owner) => writeJson(segmentFile(spec), { owner });
export const dropSegment = (spec: SegmentSpec) => removeTree(segmentFile(spec));
export const hasSegments = async (stack: string): Promise<boolean> =>
  (await listFolder(path.join(fakeStackFolder(stack), "segments"))).length > 0;

export const readDisk = (disk: MachineName) => readJson<DiskRecord>(diskFile(disk));
export const writeDisk = (record: DiskRecord) => writeJson(diskFile(record), record);

export async function dropDisk(disk: MachineName): Promise<void> {
  await removeTree(diskFile(disk));
  await removeIfEmpty(path.dirname(diskFile(disk)));
  await removeIfEmpty(fakeStackFolder(disk.stack));
}

export const readMachine = (machine: MachineName) => readJson<MachineRecord>(recordFile(machine));
export const writeMachine = (machine: MachineName, record: MachineRecord) => writeJson(recordFile(machine), record);
export const dropMachine = (machine: MachineName) => removeTree(machineFolder(machine));
export const machineNames = (stack: string): Promise<readonly string[]> =>
  listFolder(path.join(fakeStackFolder(stack), "machines"));

export async function writeSeed(machine: MachineName, seed: SeedFiles): Promise<void> {
  const folder = path.join(machineFolder(machine), "seed");
  await writeFileAtomic(path.join(folder, "user-data"), seed.userData, 0o600);
  await writeFileAtomic(path.join(folder, "meta-data"), seed.metaData, 0o600);
  await writeFileAtomic(path.join(folder, "network-config"), seed.networkConfig, 0o600);
}

/** Everything of a stack but its data disks. */
export async function dropStack(stack: string): Promise<void> {
  for (const part of ["segments", "machines", "cluster.json"])
    await removeTree(path.join(fakeStackFolder(stack), part));
  if (await exists(fakeStackFolder(stack))) await removeIfEmpty(fakeStackFolder(stack));
}
