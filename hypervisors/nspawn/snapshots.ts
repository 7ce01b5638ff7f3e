import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineSpec } from "../hypervisor";
import type { PauseOptions, SnapshotMethod, SnapshotPart } from "../snapshots/snapshot-method";
import { copyTree, syncFileSystem } from "./commands";
import { diskDataFolder } from "./disks";
import { machineFiles } from "./folders";
import { freeze, isFrozen, type Stuck, stillFrozen, thaw } from "./freezer";
import { cutPower, isRunning, leaderOf, start } from "./machine-power";
import { KUBELET, makeRoot } from "./machine-root";
import { listMachines, readComplete, withMachineLock } from "./machines";

/** Copies of what the guest has written: its layer, the stores of containerd and the kubelet, and its data disks. */
export function snapshotMethod(host: Host): SnapshotMethod {
  return {
    driver: "nspawn",
    listMachines: (stack) => listMachines(host, stack),
    readRecord: (machine) => readComplete(host, machine),
    withMachineLock: (machine, action) => withMachineLock(host, machine, action),
    isRunning: async (machine) => (await isRunning(host, machine)) && !(await isFrozen(host, machine)),
    async bytesOf(spec) {
      let bytes = 0;
      for (const { source } of treesOf(host, spec)) bytes += await host.trees.bytesOnDisk(source);
      return bytes;
    },
    async pause(specs, options) {
      // Most of it now, so that the machines stand still for a shorter time.
      await syncPods(host, specs);
      const stuck = await freezeAndSync(host, specs, options);
      return () => stillFrozen(host, specs, stuck);
    },
    resume: (specs) => thaw(host, specs),
    async save(spec, { folder }, signal) {
      for (const { source, name } of treesOf(host, spec))
        if (await host.files.exists(source))
          await host.run(copyTree(source, path.join(folder, name)), { ...(signal && { signal }) });
    },
    putBack: (spec, part) => putBack(host, spec, part),
    cutPower: (spec) => cutPower(host, spec),
    start: (spec) => start(host, spec),
  };
}

interface Tree {
  readonly source: string;
  /** Its name in the snapshot. Names of disks contain no dot. */
  readonly name: string;
}

function treesOf(host: Host, spec: MachineSpec): readonly Tree[] {
  const { upper, containerd, kubelet, podDisk } = machineFiles(host, spec);
  return [
    ...[upper, containerd, kubelet, podDisk].map((source) => ({ source, name: path.basename(source) })),
    ...spec.disks.map(({ disk }) => ({
      source: diskDataFolder(host, { stack: spec.stack, name: disk }),
      name: `${disk}.disk`,
    })),
  ];
}

/** The file system of `pods.ext4` has writes in memory that its file does not have. All other files are the host's. */
async function syncPods(host: Host, specs: readonly MachineSpec[]): Promise<void> {
  await Promise.all(
    specs.map(async (spec) => {
      if (!(await host.files.exists(machineFiles(host, spec).podDisk))) return;
      const leader = await leaderOf(host, spec);
      if (leader !== undefined) await host.run(syncFileSystem(`/proc/${leader}/root/${KUBELET}`));
    }),
  );
}

async function freezeAndSync(host: Host, specs: readonly MachineSpec[], options: PauseOptions): Promise<Stuck> {
  const stuck = await freeze(host, specs, options);
  await syncPods(host, specs);
  return stuck;
}

async function putBack(host: Host, spec: MachineSpec, { folder }: SnapshotPart): Promise<void> {
  const { work, contentWork } = machineFiles(host, spec);
  // What overlayfs remembers of the former layer.
  for (const each of [work, contentWork]) {
    const isThere = await host.files.exists(each);
    await host.files.remove(each);
    if (isThere) await host.files.makeFolder(each, each === contentWork ? 0o700 : undefined);
  }
  for (const { source, name } of treesOf(host, spec)) {
    await host.files.remove(source);
    const saved = path.join(folder, name);
    if (await host.files.exists(saved)) await host.run(copyTree(saved, source));
  }
  // Completes what is missing, and grows a disk that the plan has grown since.
  await makeRoot(host, spec);
}
