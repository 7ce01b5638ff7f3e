import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { MachineSpec } from "../hypervisor";
import type { SnapshotMethod } from "../snapshots/snapshot-method";
import { resizeDisk, snapshotDisk } from "./commands";
import { diskFile, inspectDisk } from "./disks";
import { machineFiles } from "./folders";
import { cutPower, isPaused, start } from "./machine-power";
import { readComplete } from "./machine-record";
import { listMachines, withMachineLock } from "./machines";
import { dataDiskNode, qmpSocket, SYSTEM_DISK } from "./names";
import type { NetworkOptions } from "./network";
import { isRunning } from "./processes";
import { inspectDiskFile, runQemuImg } from "./qemu-img";
import { type Qmp, withQmp } from "./qmp";

/**
 * QEMU's own snapshots in the machines' qcow2 files, including those of data disks, without memory. They are made at once and occupy
 * what the disks grow by afterwards.
 */
export function snapshotMethod(host: Host, options: NetworkOptions): SnapshotMethod {
  return {
    driver: "qemu",
    listMachines: (stack) => listMachines(host, stack),
    readRecord: (machine) => readComplete(host, machine),
    withMachineLock: (machine, action) => withMachineLock(host, machine, action),
    isRunning: (machine) => isRunning(host, machine),
    async bytesOf(spec) {
      let bytes = 0;
      for (const { file } of disksOf(host, spec)) bytes += await host.trees.bytesOnDisk(file);
      return bytes;
    },
    // QEMU writes everything to the files that the guest has written.
    async pause(specs) {
      await onEach(host, specs, (qmp) => qmp.execute("stop"));
      return undefined;
    },
    async resume(specs) {
      const paused: MachineSpec[] = [];
      for (const spec of specs) if (await isPaused(host, spec)) paused.push(spec);
      await onEach(host, paused, (qmp) => qmp.execute("cont"));
    },
    save: (spec, { snapshot }) => save(host, spec, snapshot),
    putBack: (spec, { snapshot }) => putBack(host, spec, snapshot),
    async isSaved(spec, { snapshot }) {
      for (const { file } of disksOf(host, spec)) if (!(await hasSnapshot(host, file, snapshot))) return false;
      return true;
    },
    drop: (spec, { snapshot }) => drop(host, spec, snapshot),
    cutPower: (spec) => cutPower(host, spec),
    start: (spec) => start(host, spec, options),
  };
}

const GIB = 1024 ** 3;

interface Disk {
  readonly file: string;
  readonly node: string;
  /** Absent for the system disk. */
  readonly disk?: string;
}

const disksOf = (host: Host, { stack, name, disks }: MachineSpec): readonly Disk[] => [
  { file: machineFiles(host, { stack, name }).disk, node: SYSTEM_DISK },
  ...disks.map(({ disk }, index) => ({ file: diskFile(host, { stack, name: disk }), node: dataDiskNode(index), disk })),
];

async function onEach(
  host: Host,
  specs: readonly MachineSpec[],
  action: (qmp: Qmp) => Promise<unknown>,
): Promise<void> {
  const results = await Promise.allSettled(specs.map((spec) => withQmp(host, qmpSocket(host, spec), action)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function save(host: Host, spec: MachineSpec, name: string): Promise<void> {
  // Replace an existing one: after an interruption, it may exist on some of the disks only.
  await drop(host, spec, name);
  const disks = disksOf(host, spec);
  if (!(await isRunning(host, spec))) {
    for (const { file } of disks) await runQemuImg(host, snapshotDisk("-c", name, file));
    return;
  }
  const actions = disks.map(({ node }) => ({ type: "blockdev-snapshot-internal-sync", data: { device: node, name } }));
  await withQmp(host, qmpSocket(host, spec), (qmp) => qmp.execute("transaction", { actions }));
}

/** Every disk first: one without the snapshot must not be found after others have changed. */
async function putBack(host: Host, spec: MachineSpec, name: string): Promise<void> {
  const disks = disksOf(host, spec);
  for (const { file } of disks) if (!(await hasSnapshot(host, file, name))) throw missing(spec, name);
  for (const { file, disk } of disks) {
    await runQemuImg(host, snapshotDisk("-a", name, file));
    // The plan may have grown the disk since.
    const recorded = disk === undefined ? undefined : await inspectDisk(host, { stack: spec.stack, name: disk });
    const wanted = (disk === undefined ? spec.diskGiB : (recorded?.sizeGiB ?? 0)) * GIB;
    if ((await inspectDiskFile(host, file))["virtual-size"] < wanted) await runQemuImg(host, resizeDisk(file, wanted));
  }
}

async function drop(host: Host, spec: MachineSpec, name: string): Promise<void> {
  const running = await isRunning(host, spec);
  for (const { file, node } of disksOf(host, spec)) {
    if (!(await host.files.exists(file)) || !(await hasSnapshot(host, file, name))) continue;
    if (running) {
      await withQmp(host, qmpSocket(host, spec), (qmp) =>
        qmp.execute("blockdev-snapshot-delete-internal-sync", { device: node, name }),
      );
    } else await runQemuImg(host, snapshotDisk("-d", name, file));
  }
}

async function hasSnapshot(host: Host, file: string, name: string): Promise<boolean> {
  return ((await inspectDiskFile(host, file)).snapshots ?? []).some((snapshot) => snapshot.name === name);
}

function missing(spec: MachineSpec, name: string): UserError {
  const problem = `machine ${spec.name} has no snapshot ${name} of all its disks`;
  return new UserError("snapshot-missing", problem, `remove it: \`npx groundplane snapshot delete ${name}\``);
}
