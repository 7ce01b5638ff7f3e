import { outputTail, type ProcessIdentity } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec } from "../hypervisor";
import { hasPid, machineCgroups, machinePids, removeCgroups, setWeight } from "./cgroups";
import { deleteCables, setCables, stackBatch } from "./commands";
import { machineFiles } from "./folders";
import { thaw } from "./freezer";
import { launchContainer, launchersOf } from "./launch";
import { containerName, machineNamespace, namespacePath, stackNamespace } from "./names";
import { namespaceExists, removeNamespace } from "./namespaces";
import { parseNamespacePids } from "./parse-output";
import { endUplink, ensureUplink } from "./uplink";

/** SIGRTMIN+4: systemd as PID 1 treats it as the power button. */
const POWER_OFF_SIGNAL = 38;
/** A guest that is still booting ignores the signal, so it is sent again. */
const SIGNAL_AGAIN_MS = 2_000;
const LEADER_MS = 20_000;
const KILL_MS = 20_000;

/** A machine runs as long as any of its processes does: killing nspawn leaves the guest running. */
export async function isRunning(host: Host, machine: MachineName): Promise<boolean> {
  return hasPid(host, machine, (pid) => host.processes.startTime(pid) !== undefined);
}

/** The guest's PID 1 as the host sees it; `undefined` when there is none. */
export async function leaderOf(host: Host, machine: MachineName): Promise<number | undefined> {
  for (const pid of await machinePids(host, machine)) {
    const pids = parseNamespacePids((await host.kernel.read(`/proc/${pid}/status`)) ?? "");
    if (pids.length === 2 && pids[1] === 1) return pid;
  }
  return undefined;
}

export async function start(host: Host, spec: MachineSpec): Promise<void> {
  if (await isRunning(host, spec)) {
    await thaw(host, [spec]);
    return ensureUplink(host, spec);
  }
  await cutPower(host, spec);
  try {
    const nspawn = await launchContainer(host, spec);
    await waitForLeader(host, spec, nspawn.pid, nspawn.startTime);
  } catch (error) {
    await cutPower(host, spec);
    throw error;
  }
}

export async function stopOrderly(host: Host, spec: MachineSpec, deadlineMs: number): Promise<void> {
  const deadline = host.clock.now() + deadlineMs;
  let signalled = Number.NEGATIVE_INFINITY;
  let leader: ProcessIdentity | undefined;
  const hasLeader = () => leader !== undefined && host.processes.isSame(leader.pid, leader.startTime);
  // To search for all processes of a machine is to read a thousand files, which other machines would feel.
  while ((hasLeader() || (await isRunning(host, spec))) && host.clock.now() < deadline) {
    if (host.clock.now() - signalled >= SIGNAL_AGAIN_MS) {
      if (!hasLeader()) leader = await livingLeader(host, spec);
      if (leader !== undefined) host.processes.signal(leader, POWER_OFF_SIGNAL);
      signalled = host.clock.now();
    }
    await host.clock.sleep(20);
  }
  await cutPower(host, spec);
}

async function livingLeader(host: Host, spec: MachineSpec): Promise<ProcessIdentity | undefined> {
  const pid = await leaderOf(host, spec);
  const startTime = pid === undefined ? undefined : host.processes.startTime(pid);
  return pid === undefined || startTime === undefined ? undefined : { pid, startTime };
}

/** A quarter of the normal weight: enough to end soon on a busy host. */
const DYING_WEIGHT = 256;

/**
 * Unplugs the cables first, so that no closing packets leave the machine, then kills all its processes. Its exit must not
 * slow down other machines, which the failure of real hardware would not do either.
 */
export async function hardKill(host: Host, spec: MachineSpec): Promise<void> {
  const segments = spec.nics.map((nic) => nic.segment);
  if (segments.length > 0 && (await namespaceExists(host, stackNamespace(spec.stack)))) {
    await host.run(stackBatch(spec.stack, true), {
      stdin: setCables(spec.name, segments, false).join("\n"),
      allowedExitCodes: [0, 1, 2],
    });
  }
  await setWeight(host, spec, DYING_WEIGHT);
  await cutPower(host, spec);
}

/** Kills every process of the machine and removes what the host created for running it. */
export async function cutPower(host: Host, spec: MachineSpec): Promise<void> {
  await killAll(host, spec);
  await clearRemains(host, spec);
}

async function killAll(host: Host, machine: MachineName): Promise<void> {
  await endLaunchers(host, machine);
  const deadline = host.clock.now() + KILL_MS;
  const leader = await leaderOf(host, machine);
  // Killing PID 1 ends its entire pid namespace; killing nspawn first would orphan it.
  if (leader !== undefined) await kill(host, leader);
  for (let pids = await livingPids(host, machine); pids.length > 0; pids = await livingPids(host, machine)) {
    if (host.clock.now() > deadline) {
      throw new UserError(
        "machine-not-killed",
        `processes ${pids.join(", ")} of ${machine.name} survive SIGKILL`,
        "they hang in the kernel: look at `dmesg`, restart the host if they stay",
      );
    }
    await Promise.all(pids.map((pid) => kill(host, pid)));
  }
}

/** Launchers that have not created a process in the machine yet. */
async function endLaunchers(host: Host, machine: MachineName): Promise<void> {
  // Cgroups are recorded before the launch: without a record there is no launcher.
  if ((await machineCgroups(host, machine)).length === 0) return;
  for (const launcher of await launchersOf(host, machine)) await host.processes.kill(launcher);
}

async function kill(host: Host, pid: number): Promise<void> {
  const startTime = host.processes.startTime(pid);
  if (startTime !== undefined) await host.processes.kill({ pid, startTime });
}

async function livingPids(host: Host, machine: MachineName): Promise<readonly number[]> {
  return (await machinePids(host, machine)).filter((pid) => host.processes.startTime(pid) !== undefined);
}

/** Removes what a stopped machine may have left behind, even after a crash of the host or of the driver. */
async function clearRemains(host: Host, spec: MachineSpec): Promise<void> {
  if (spec.uplink) await endUplink(host, spec);
  const hasNamespace = await host.files.exists(namespacePath(machineNamespace(spec)));
  // Delete both ends now: the kernel removes a namespace's interfaces later, and a quick restart would find the old port.
  if (hasNamespace && spec.nics.length > 0 && (await namespaceExists(host, stackNamespace(spec.stack)))) {
    await host.run(stackBatch(spec.stack, true), {
      stdin: deleteCables(spec.name, spec.nics).join("\n"),
      allowedExitCodes: [0, 1, 2],
    });
  }
  await removeNamespace(host, machineNamespace(spec));
  await removeCgroups(host, spec);
  await host.files.removeIfEmpty(`/run/systemd/nspawn/propagate/${containerName(spec)}`);
}

async function waitForLeader(host: Host, spec: MachineSpec, nspawn: number, startTime: string): Promise<void> {
  const deadline = host.clock.now() + LEADER_MS;
  while ((await leaderOf(host, spec)) === undefined) {
    if (host.clock.now() > deadline || !host.processes.isSame(nspawn, startTime)) {
      const output = outputTail((await host.files.readText(machineFiles(host, spec).consoleLog)) ?? "");
      throw new UserError(
        "machine-not-started",
        `machine ${spec.name} did not start:\n${output}`,
        "look at what systemd-nspawn says; `npx groundplane doctor` checks what it needs",
      );
    }
    await host.clock.sleep(10);
  }
}
