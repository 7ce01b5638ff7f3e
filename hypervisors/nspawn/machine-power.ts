import { exists, readIfPresent, removeIfEmpty } from "../../host/file-store";
import { readKernelFile } from "../../host/kernel-files";
import { runCommand } from "../../host/run-command";
import { isSameProcess, killProcess, processStartTime, signalProcess } from "../../host/start-process";
import { outputTail } from "../../model/commands";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec } from "../hypervisor";
import { machineCgroups, machinePids, removeCgroups, setWeight } from "./cgroups";
import { deleteCables, setCables, stackBatch } from "./commands";
import { machineFiles } from "./folders";
import { launchContainer, launchersOf } from "./launch";
import { containerName, machineNamespace, namespacePath, stackNamespace } from "./names";
import { namespaceExists, removeNamespace } from "./namespaces";
import { parseNamespacePids } from "./parse-output";
import { endUplink, ensureUplink } from "./uplink";

/** SIGRTMIN+4: systemd as PID 1 takes it as the power button. */
const POWER_OFF_SIGNAL = 38;
/** A guest that boots takes no signal yet: it is sent again. */
const SIGNAL_AGAIN_MS = 2_000;
const LEADER_MS = 20_000;
const KILL_MS = 20_000;

/** Runs while a single process of it does: nspawn itself may have been killed, which leaves the guest running. */
export async function isRunning(machine: MachineName): Promise<boolean> {
  return (await livingPids(machine)).length > 0;
}

/** The guest's PID 1 as the host sees it; `undefined` when there is none. */
export async function leaderOf(machine: MachineName): Promise<number | undefined> {
  for (const pid of await machinePids(machine)) {
    const pids = parseNamespacePids((await readKernelFile(`/proc/${pid}/status`)) ?? "");
    if (pids.length === 2 && pids[1] === 1) return pid;
  }
  return undefined;
}

export async function start(spec: MachineSpec): Promise<void> {
  if (await isRunning(spec)) return ensureUplink(spec);
  await cutPower(spec);
  try {
    const nspawn = await launchContainer(spec);
    await waitForLeader(spec, nspawn.pid, nspawn.startTime);
  } catch (error) {
    await cutPower(spec);
    throw error;
  }
}

export async function stopOrderly(spec: MachineSpec, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  let signalled = Number.NEGATIVE_INFINITY;
  while ((await isRunning(spec)) && Date.now() < deadline) {
    if (Date.now() - signalled >= SIGNAL_AGAIN_MS) {
      const leader = await leaderOf(spec);
      const startTime = leader === undefined ? undefined : processStartTime(leader);
      if (leader !== undefined && startTime !== undefined) signalProcess({ pid: leader, startTime }, POWER_OFF_SIGNAL);
      signalled = Date.now();
    }
    await pause(20);
  }
  await cutPower(spec);
}

/** A quarter: ends soon on a host that is busy, too. */
const DYING_WEIGHT = 256;

/**
 * Cables first, so that no goodbye leaves the machine, then everything of it at once. What its death costs the processors
 * must not hold up the others, which it would not if it were a machine.
 */
export async function hardKill(spec: MachineSpec): Promise<void> {
  const segments = spec.nics.map((nic) => nic.segment);
  if (segments.length > 0 && (await namespaceExists(stackNamespace(spec.stack)))) {
    await runCommand(stackBatch(spec.stack, true), {
      stdin: setCables(spec.name, segments, false).join("\n"),
      allowedExitCodes: [0, 1, 2],
    });
  }
  await setWeight(spec, DYING_WEIGHT);
  await cutPower(spec);
}

/** Kills whatever runs of the machine and removes what the host had for it running. */
export async function cutPower(spec: MachineSpec): Promise<void> {
  await killAll(spec);
  await clearRemains(spec);
}

async function killAll(machine: MachineName): Promise<void> {
  await endLaunchers(machine);
  const deadline = Date.now() + KILL_MS;
  const leader = await leaderOf(machine);
  // With PID 1 goes its whole pid namespace; killing nspawn first would orphan it.
  if (leader !== undefined) await kill(leader);
  for (let pids = await livingPids(machine); pids.length > 0; pids = await livingPids(machine)) {
    if (Date.now() > deadline) {
      throw new UserError(
        "machine-not-killed",
        `processes ${pids.join(", ")} of ${machine.name} survive SIGKILL`,
        "they hang in the kernel: look at `dmesg`, restart the host if they stay",
      );
    }
    await Promise.all(pids.map(kill));
  }
}

/** Launchers that have not come as far as a process in the machine, or would start it again. */
async function endLaunchers(machine: MachineName): Promise<void> {
  // Its cgroups are recorded before it is launched: without them there is nothing to look for.
  if ((await machineCgroups(machine)).length === 0) return;
  for (const launcher of await launchersOf(machine)) await killProcess(launcher);
}

async function kill(pid: number): Promise<void> {
  const startTime = processStartTime(pid);
  if (startTime !== undefined) await killProcess({ pid, startTime });
}

async function livingPids(machine: MachineName): Promise<readonly number[]> {
  return (await machinePids(machine)).filter((pid) => processStartTime(pid) !== undefined);
}

/** What a machine that does not run may have left, also after its host or its driver died. */
async function clearRemains(spec: MachineSpec): Promise<void> {
  if (spec.uplink) await endUplink(spec);
  const hasNamespace = await exists(namespacePath(machineNamespace(spec)));
  // Both ends now: the kernel takes down a namespace's interfaces later, and a quick start would find the old port.
  if (hasNamespace && spec.nics.length > 0 && (await namespaceExists(stackNamespace(spec.stack)))) {
    await runCommand(stackBatch(spec.stack, true), {
      stdin: deleteCables(spec.name, spec.nics).join("\n"),
      allowedExitCodes: [0, 1, 2],
    });
  }
  await removeNamespace(machineNamespace(spec));
  await removeCgroups(spec);
  await removeIfEmpty(`/run/systemd/nspawn/propagate/${containerName(spec)}`);
}

async function waitForLeader(spec: MachineSpec, nspawn: number, startTime: string): Promise<void> {
  const deadline = Date.now() + LEADER_MS;
  while ((await leaderOf(spec)) === undefined) {
    if (Date.now() > deadline || !isSameProcess(nspawn, startTime)) {
      const output = outputTail((await readIfPresent(machineFiles(spec).consoleLog)) ?? "");
      throw new UserError(
        "machine-not-started",
        `machine ${spec.name} did not start:\n${output}`,
        "look at what systemd-nspawn says; `npx groundplane doctor` checks what it needs",
      );
    }
    await pause(10);
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
