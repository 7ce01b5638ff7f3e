import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { MachineSpec } from "../hypervisor";
import { snapshotDisk } from "./commands";
import { diskFile } from "./disks";
import { machineFiles } from "./folders";
import { dataDiskNode, qmpSocket, SYSTEM_DISK } from "./names";
import { isRunning } from "./processes";
import { inspectDiskFile, runQemuImg } from "./qemu-img";
import { type Qmp, withQmp } from "./qmp";

/**
 * Snapshots are stored in the machine's qcow2 files, including its data disks. A snapshot of a running machine contains its
 * memory and is restored into a running machine; a stopped machine uses only the disks' part.
 */

/** Memory is written to the disk, which takes minutes for a large machine on a slow disk. */
const JOB_MS = 30 * 60_000;

const diskNodes = (spec: MachineSpec): readonly string[] => [SYSTEM_DISK, ...spec.disks.map((_, i) => dataDiskNode(i))];

const diskFiles = (host: Host, spec: MachineSpec): readonly string[] => [
  machineFiles(host, spec).disk,
  ...spec.disks.map(({ disk }) => diskFile(host, { stack: spec.stack, name: disk })),
];

export async function takeSnapshot(host: Host, spec: MachineSpec, name: string): Promise<void> {
  // Replace an existing one: after an interruption, it may exist on some of the disks only.
  await deleteSnapshot(host, spec, name);
  if (await isRunning(host, spec)) await runJob(host, spec, "snapshot-save", { tag: name, vmstate: SYSTEM_DISK });
  else for (const file of diskFiles(host, spec)) await runQemuImg(host, snapshotDisk("-c", name, file));
}

export async function restoreSnapshot(host: Host, spec: MachineSpec, name: string): Promise<void> {
  for (const file of diskFiles(host, spec)) if (!(await hasSnapshot(host, file, name))) throw missing(spec, name);
  if (!(await isRunning(host, spec))) {
    for (const file of diskFiles(host, spec)) await runQemuImg(host, snapshotDisk("-a", name, file));
    return;
  }
  if (!(await hasMemory(host, machineFiles(host, spec).disk, name))) {
    throw new UserError(
      "snapshot-without-memory",
      `snapshot ${name} of ${spec.name} was taken while it was stopped`,
      "stop the machine before restoring it",
    );
  }
  await runJob(host, spec, "snapshot-load", { tag: name, vmstate: SYSTEM_DISK });
  // It was saved paused, so that memory and disks match.
  await withQmp(host, qmpSocket(host, spec), (qmp) => qmp.execute("cont"));
}

export async function deleteSnapshot(host: Host, spec: MachineSpec, name: string): Promise<void> {
  const present = [];
  for (const [index, file] of diskFiles(host, spec).entries())
    if (await hasSnapshot(host, file, name)) present.push(index);
  if (present.length === 0) return;
  if (await isRunning(host, spec)) {
    const nodes = diskNodes(spec);
    await runJob(
      host,
      spec,
      "snapshot-delete",
      { tag: name },
      present.map((index) => nodes[index] as string),
    );
    return;
  }
  const files = diskFiles(host, spec);
  for (const index of present) {
    const file = files[index] as string;
    await runQemuImg(host, snapshotDisk("-d", name, file));
  }
}

async function hasSnapshot(host: Host, file: string, name: string): Promise<boolean> {
  return ((await inspectDiskFile(host, file)).snapshots ?? []).some((snapshot) => snapshot.name === name);
}

async function hasMemory(host: Host, file: string, name: string): Promise<boolean> {
  const found = ((await inspectDiskFile(host, file)).snapshots ?? []).find((snapshot) => snapshot.name === name);
  return (found?.["vm-state-size"] ?? 0) > 0;
}

function missing(spec: MachineSpec, name: string): UserError {
  const problem = `machine ${spec.name} has no snapshot ${name} of all its disks`;
  return new UserError("snapshot-missing", problem, "take it first");
}

interface Job {
  readonly id: string;
  readonly status: string;
  readonly error?: string;
}

/** Runs one of QEMU's snapshot jobs to its end. */
async function runJob(
  host: Host,
  spec: MachineSpec,
  command: string,
  args: Readonly<Record<string, unknown>>,
  devices = diskNodes(spec),
): Promise<void> {
  const id = "snapshot";
  await withQmp(host, qmpSocket(host, spec), async (qmp) => {
    // A job that an interrupted call left behind.
    if ((await findJob(qmp, id))?.status === "concluded") await qmp.execute("job-dismiss", { id });
    await qmp.execute(command, { ...args, devices, "job-id": id });
    const deadline = host.clock.now() + JOB_MS;
    for (;;) {
      const job = await findJob(qmp, id);
      if (!job || job.status === "concluded") {
        if (job) await qmp.execute("job-dismiss", { id });
        if (job?.error === undefined) return;
        throw new UserError("snapshot-failed", `${command} of ${spec.name}: ${job.error}`, "look at what QEMU says");
      }
      if (host.clock.now() > deadline) throw new Error(`${command} of ${spec.name} does not end`);
      await host.clock.sleep(50);
    }
  });
}

async function findJob(qmp: Qmp, id: string): Promise<Job | undefined> {
  return (await qmp.execute<readonly Job[]>("query-jobs")).find((job) => job.id === id);
}
