import * as path from "node:path";
import type { ProcessIdentity } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { type MachineName, type MachineSpec, OUTPUT_LIMIT } from "../hypervisor";
import type { PauseOptions } from "../snapshots/snapshot-method";
import { machineCgroups, machinePids } from "./cgroups";
import { stuckThreads } from "./stuck-threads";

/**
 * Freezes machines by the version 2 hierarchy, where a frozen process can still be killed. The guest does not see the level that is
 * frozen.
 */
const FREEZE = "cgroup.freeze";
const WATCHDOG = "thaw-after.sh";
const LOOK_EVERY_MS = 10;
/** A process that waits for another frozen machine, e.g. for a brick of a volume, cannot be frozen before that one answers. */
const STUCK_AFTER_MS = 1_000;
const FREEZE_MS = 20_000;

async function frozenFolder(host: Host, machine: MachineName): Promise<string | undefined> {
  return (await machineCgroups(host, machine)).find(({ version }) => version === 2)?.folder;
}

/** A machine that a killed command left frozen does not count as running. */
export async function isFrozen(host: Host, machine: MachineName): Promise<boolean> {
  const folder = await frozenFolder(host, machine);
  return folder !== undefined && (await host.kernel.read(path.join(folder, FREEZE))) === "1";
}

/** Returns the threads that cannot be frozen because they wait, by machine. */
export async function freeze(host: Host, specs: readonly MachineSpec[], options: PauseOptions): Promise<Stuck> {
  const folders = new Map<MachineSpec, string>();
  for (const spec of specs) {
    const folder = await frozenFolder(host, spec);
    if (folder !== undefined) folders.set(spec, folder);
  }
  await startWatchdog(host, [...folders.values()], options);
  for (const folder of folders.values()) await host.kernel.write(path.join(folder, FREEZE), "1");
  const stuck = new Map<string, string>();
  const begun = host.clock.now();
  for (const [spec, folder] of folders) {
    const threads = await untilFrozen(host, spec, folder, begun, options.signal);
    if (threads) stuck.set(spec.name, threads);
  }
  return stuck;
}

/** What `stuckThreads` returned, by the machine's name. */
export type Stuck = ReadonlyMap<string, string>;

async function untilFrozen(
  host: Host,
  spec: MachineSpec,
  folder: string,
  begun: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  let before: string | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const events = (await host.kernel.read(path.join(folder, "cgroup.events"))) ?? "frozen 1";
    if (/^frozen 1$/m.test(events)) return undefined;
    const waited = host.clock.now() - begun;
    if (waited > FREEZE_MS) throw notFrozen(spec, before);
    if (waited > STUCK_AFTER_MS) {
      const threads = await stuckThreads(host, await machinePids(host, spec));
      if (threads !== undefined && threads === before) return threads;
      before = threads;
      await host.clock.sleep(STUCK_AFTER_MS / 2);
    }
    await host.clock.sleep(LOOK_EVERY_MS);
  }
}

/** @throws UserError `machine-wrote` if a thread that waited went on */
export async function stillFrozen(host: Host, specs: readonly MachineSpec[], stuck: Stuck): Promise<void> {
  for (const spec of specs) {
    const before = stuck.get(spec.name);
    if (before === undefined) continue;
    if ((await stuckThreads(host, await machinePids(host, spec))) === before) continue;
    throw new UserError(
      "machine-wrote",
      `a process of ${spec.name} waited for a disk and went on while the machine was frozen; nothing was saved`,
      "try again; a slow or failing disk of the host causes this",
    );
  }
}

export async function thaw(host: Host, machines: readonly MachineName[]): Promise<void> {
  const files: string[] = [];
  for (const machine of machines) {
    const folder = await frozenFolder(host, machine);
    if (folder !== undefined) files.push(path.join(folder, FREEZE));
  }
  for (const file of files) if ((await host.kernel.read(file)) === "1") await host.kernel.tryWrite(file, "0");
  // Only those of these machines: another stack may be frozen now.
  for (const watchdog of await watchdogsOf(host, files)) await host.processes.kill(watchdog);
}

async function startWatchdog(host: Host, folders: readonly string[], { folder }: PauseOptions): Promise<void> {
  const script = path.join(host.folders.project(), "hypervisors", "nspawn", WATCHDOG);
  const own = [String(host.facts.pid), host.processes.startTime(host.facts.pid) ?? ""];
  await host.processes.start(["sh", script, ...own, ...folders.map((each) => path.join(each, FREEZE))], {
    outputFile: path.join(folder, "watchdog.log"),
    outputLimit: OUTPUT_LIMIT,
  });
}

const watchdogsOf = (host: Host, files: readonly string[]): Promise<readonly ProcessIdentity[]> =>
  host.processes.find(
    (argv) => argv.some((word) => path.basename(word) === WATCHDOG) && argv.some((word) => files.includes(word)),
  );

const notFrozen = ({ name }: MachineSpec, threads: string | undefined): UserError =>
  new UserError(
    "machine-not-frozen",
    `${name} cannot be frozen: ${threads ? "processes wait for a disk that does not answer" : "its processes go on"}`,
    "look at the host's disks (`dmesg`), then try again",
  );
