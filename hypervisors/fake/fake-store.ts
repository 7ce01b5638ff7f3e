import * as path from "node:path";
import { parse } from "yaml";
import type { Host } from "../../model/host";
import type { DiskSpec, MachineName, MachineSpec, Owner, PowerState, SeedFiles, SegmentSpec } from "../hypervisor";
import { type FormerDisk, presentSpec } from "../machine-records";

/** The fake hypervisor's objects as files, so that separate processes see the same: `<data>/fake/<stack>/…`. */

export interface MachineRecord {
  readonly owner: Owner;
  /** Absent while the machine is being created. */
  readonly made?: { readonly spec: MachineSpec; readonly generation: string; readonly former?: FormerDisk };
  readonly power: PowerState;
  readonly pulledLinks: readonly string[];
}

export type DiskRecord = DiskSpec & { readonly owner: Owner };

const fakeFolder = (host: Host): string => path.join(host.folders.data(), "fake");
export const fakeStackFolder = (host: Host, stack: string): string => path.join(fakeFolder(host), stack);
export const fakeStacks = (host: Host): Promise<readonly string[]> => host.files.list(fakeFolder(host));

const segmentFile = (host: Host, { stack, name }: SegmentSpec): string =>
  path.join(fakeStackFolder(host, stack), "segments", `${name}.json`);
const diskFile = (host: Host, { stack, name }: MachineName): string =>
  path.join(fakeStackFolder(host, stack), "disks", `${name}.json`);
/** A machine's record, seed and disk (`root/`). */
export const machineFolder = (host: Host, { stack, name }: MachineName): string =>
  path.join(fakeStackFolder(host, stack), "machines", name);
const recordFile = (host: Host, machine: MachineName): string =>
  path.join(machineFolder(host, machine), "machine.json");

export const readSegment = (host: Host, spec: SegmentSpec) =>
  host.files.readJson<{ readonly owner: Owner }>(segmentFile(host, spec));
export const writeSegment = (host: Host, spec: SegmentSpec, owner: Owner) =>
  host.files.writeJson(segmentFile(host, spec), { owner });
export const dropSegment = (host: Host, spec: SegmentSpec) => host.files.remove(segmentFile(host, spec));
export const hasSegments = async (host: Host, stack: string): Promise<boolean> =>
  (await host.files.list(path.join(fakeStackFolder(host, stack), "segments"))).length > 0;

export async function recordNames(host: Host, stack: string, kind: "segments" | "disks"): Promise<readonly string[]> {
  const files = await host.files.list(path.join(fakeStackFolder(host, stack), kind));
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}

export const readDisk = (host: Host, disk: MachineName) => host.files.readJson<DiskRecord>(diskFile(host, disk));
export const writeDisk = (host: Host, record: DiskRecord) => host.files.writeJson(diskFile(host, record), record);

export async function dropDisk(host: Host, disk: MachineName): Promise<void> {
  await host.files.remove(diskFile(host, disk));
  await host.files.removeIfEmpty(path.dirname(diskFile(host, disk)));
  await host.files.removeIfEmpty(fakeStackFolder(host, disk.stack));
}

export async function readMachine(host: Host, machine: MachineName): Promise<MachineRecord | undefined> {
  const record = await host.files.readJson<MachineRecord>(recordFile(host, machine));
  return record?.made ? { ...record, made: { ...record.made, spec: presentSpec(record.made.spec) } } : record;
}
export const writeMachine = (host: Host, machine: MachineName, record: MachineRecord) =>
  host.files.writeJson(recordFile(host, machine), record);
export const dropMachine = (host: Host, machine: MachineName) => host.files.remove(machineFolder(host, machine));
export const machineNames = (host: Host, stack: string): Promise<readonly string[]> =>
  host.files.list(path.join(fakeStackFolder(host, stack), "machines"));

export async function writeSeed(host: Host, machine: MachineName, seed: SeedFiles): Promise<void> {
  const folder = path.join(machineFolder(host, machine), "seed");
  await host.files.writeAtomic(path.join(folder, "user-data"), seed.userData, 0o600);
  await host.files.writeAtomic(path.join(folder, "meta-data"), seed.metaData, 0o600);
  await host.files.writeAtomic(path.join(folder, "network-config"), seed.networkConfig, 0o600);
}

interface WrittenFile {
  readonly path: string;
  readonly permissions: string;
  readonly encoding?: string;
  readonly content: string;
}

/** The same for a new disk: its first boot writes the files of the seed. Those that no `NodeFiles` has written matter to no one. */
export async function bootFromSeed(host: Host, machine: MachineName, seed: SeedFiles): Promise<void> {
  const folder = machineFolder(host, machine);
  const former = await host.files.readText(path.join(folder, "seed", "user-data"));
  await writeSeed(host, machine, seed);
  if (former === seed.userData || !seed.userData.startsWith("#cloud-config\n")) return;
  const { write_files: files = [] } = parse(seed.userData) as { readonly write_files?: readonly WrittenFile[] };
  for (const { path: file, permissions, encoding, content } of files) {
    const onDisk = path.join(folder, "root", path.normalize(file));
    if ((await host.files.readText(onDisk)) === undefined) continue;
    const text = encoding === "b64" ? Buffer.from(content, "base64").toString("utf8") : content;
    await host.files.writeAtomic(onDisk, text, Number.parseInt(permissions, 8));
  }
}

export const consoleFile = (host: Host, machine: MachineName): string =>
  path.join(machineFolder(host, machine), "console.log");

/** @param fresh a new start, whose output replaces that of the last one */
export async function appendConsole(
  host: Host,
  machine: MachineName,
  line: string,
  { fresh = false } = {},
): Promise<void> {
  if (fresh) await host.files.remove(consoleFile(host, machine));
  await host.files.appendLine(consoleFile(host, machine), line);
}

/** Removes everything of a stack except its data disks. */
export async function dropStack(host: Host, stack: string): Promise<void> {
  for (const part of ["segments", "machines", "cluster.json"])
    await host.files.remove(path.join(fakeStackFolder(host, stack), part));
  if (await host.files.exists(fakeStackFolder(host, stack)))
    await host.files.removeIfEmpty(fakeStackFolder(host, stack));
}
