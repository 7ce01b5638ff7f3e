import * as path from "node:path";
import { UserError } from "../../model/user-error";
import type { MachineSpec } from "../hypervisor";
import type { SnapshotMethod, SnapshotPart } from "../snapshots/snapshot-method";
import * as commands from "./commands";
import { readDiskRecord } from "./disks";
import { diskFiles, machineFiles } from "./folders";
import { endNow, mustExist, pause, resume, start } from "./machine-power";
import { readComplete } from "./machine-record";
import { listMachines, withMachineLock } from "./machines";
import { SYSTEM_PORT } from "./names";
import { isSameFile, mediumAt, occupiedSlots } from "./storage";
import type { VirtualBox } from "./vboxmanage";
import { isPaused, isRunning, isStopping } from "./vm-state";

/**
 * Copies of the disks' files while the machines are paused. VirtualBox's own snapshots would keep the machines paused while
 * it writes their memory, and leave out data disks.
 */
export function snapshotMethod(box: VirtualBox): SnapshotMethod {
  const { host } = box;
  return {
    driver: "virtualbox",
    listMachines: (stack) => listMachines(host, stack),
    readRecord: (machine) => readComplete(host, machine),
    withMachineLock: (machine, action) => withMachineLock(host, machine, action),
    async isRunning(machine) {
      const record = await readComplete(host, machine);
      const info = record && (await box.session((session) => session.vm(record.spec.uuid)));
      // A machine that stops still writes to its disks.
      return info !== undefined && (isRunning(info) || isStopping(info));
    },
    check: (spec) => check(box, spec),
    async bytesOf(spec) {
      let bytes = 0;
      for (const { file } of disksOf(box, spec)) bytes += await host.trees.bytesOnDisk(file);
      return bytes;
    },
    // VirtualBox completes all writes of a machine before it is paused.
    pause: (specs) =>
      box.session(async (session) => {
        for (const { uuid } of specs) await pause(session, uuid);
        return undefined;
      }),
    resume: (specs) =>
      box.session(async (session) => {
        for (const { uuid } of specs) {
          const info = await session.vm(uuid);
          if (info && isPaused(info)) await resume(session, uuid);
        }
      }),
    async save(spec, { folder }, signal) {
      for (const { file, name } of disksOf(box, spec)) {
        signal?.throwIfAborted();
        await host.files.replaceByCopy(file, path.join(folder, name));
        await host.trees.setMode(path.join(folder, name), 0o600);
      }
    },
    putBack: (spec, part) => putBack(box, spec, part),
    cutPower: (spec) => box.session((session) => endNow(host, session, spec)),
    start: (spec) => start(box, spec),
  };
}

interface Disk {
  readonly file: string;
  /** In the snapshot. Names of data disks contain no dot. */
  readonly name: string;
  /** Absent for the system disk. */
  readonly disk?: string;
}

const disksOf = ({ host }: VirtualBox, { stack, name, disks }: MachineSpec): readonly Disk[] => [
  { file: machineFiles(host, { stack, name }).systemDisk, name: "system.vdi" },
  ...disks.map(({ disk }) => ({ file: diskFiles(host, { stack, name: disk }).medium, name: `${disk}.disk.vdi`, disk })),
];

/** A snapshot that a user took in VirtualBox has the machine write into another file. */
async function check(box: VirtualBox, spec: MachineSpec): Promise<void> {
  const { systemDisk } = machineFiles(box.host, spec);
  const info = await box.session((session) => mustExist(session, spec));
  const attached = occupiedSlots(info).find(({ port }) => port === SYSTEM_PORT);
  if (attached && isSameFile(attached.file, systemDisk)) return;
  throw new UserError(
    "other-disk",
    `${spec.name} does not write to ${systemDisk}, but to ${attached?.file ?? "no disk"}`,
    "delete the snapshots that this machine has in VirtualBox, then try again",
  );
}

async function putBack(box: VirtualBox, spec: MachineSpec, { folder }: SnapshotPart): Promise<void> {
  const { host } = box;
  const disks = disksOf(box, spec);
  for (const { file, name } of disks) {
    await host.files.replaceByCopy(path.join(folder, name), file);
    await host.trees.setMode(file, 0o600);
  }
  for (const { file, disk } of disks) {
    const recorded = disk === undefined ? undefined : await readDiskRecord(host, { stack: spec.stack, name: disk });
    const wanted = disk === undefined ? spec.diskGiB : (recorded?.sizeGiB ?? 0);
    await box.session(async (session) => {
      // VirtualBox reads the sizes of the files again. The plan may have grown the disk since.
      const present = mediumAt(await session.media(), file)?.capacityMiB;
      if (present !== undefined && present < wanted * 1024) await session.call(commands.resizeDisk(file, wanted));
    });
  }
}
