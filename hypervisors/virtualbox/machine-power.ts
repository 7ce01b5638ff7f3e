import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { checkPorts } from "../host-ports";
import type { MachineName, MachineSpec } from "../hypervisor";
import { machineMissing } from "../machine-records";

import * as commands from "./commands";
import { limitConsoles } from "./console-limit";
import { machineFiles } from "./folders";
import { ADAPTERS } from "./names";
import type { VmInfo } from "./parse-output";
import type { Session, VirtualBox } from "./vboxmanage";
import { isBusy, isPaused, isRunning, isStill, vmState } from "./vm-state";

export interface IdentifiedMachine extends MachineName {
  readonly uuid: string;
}

const START_MS = 120_000;
/** A guest ignores the power button while it boots, so the button is pressed repeatedly. */
const PRESS_AGAIN_MS = 5_000;
const LOOK_EVERY_MS = 250;
/** VirtualBox usually ends a machine's process within a second, but a host that swaps takes longer. */
const END_MS = 60_000;
/** Maximum age of the state: the caller that created the machine has just read it. */
const JUST_READ_MS = 1_000;

export async function start(box: VirtualBox, spec: MachineSpec): Promise<void> {
  await box.session(async (session) => {
    await limitConsoles(box.host, spec.stack);
    const info = await mustExist(session, spec, JUST_READ_MS);
    if (isPaused(info)) return resume(session, spec.uuid);
    if (isRunning(info)) return;
    // A machine that hangs or stops must have ended before VirtualBox can start it again.
    if (isBusy(info)) await endNow(box.host, session, spec);
    // VirtualBox starts a machine even if a port is in use, and only logs the conflict.
    await checkPorts(box.host, spec);
    await plugCables(session, spec, info);
    await rotateConsole(box.host, spec);
    // Another program, such as VirtualBox's manager, may have started the machine first: that is no failure.
    await session.call(commands.startVm(spec.uuid), { timeoutMs: START_MS });
  });
}

/** VirtualBox refuses to pause a paused machine, as a killed process may have left it. */
export async function pause(session: Session, uuid: string): Promise<void> {
  await session.call(commands.pause(uuid));
}

export async function resume(session: Session, uuid: string): Promise<void> {
  await session.call(commands.resume(uuid));
}

/** Presses the power button, and powers the machine off if it still runs at the deadline. */
export async function stopOrderly(box: VirtualBox, spec: MachineSpec, deadlineMs: number): Promise<void> {
  const deadline = box.host.clock.now() + deadlineMs;
  let pressed = Number.NEGATIVE_INFINITY;
  while (box.host.clock.now() < deadline) {
    const still = await box.session(async (session) => {
      const info = await session.vm(spec.uuid);
      if (!info || !isBusy(info)) return true;
      if (box.host.clock.now() - pressed < PRESS_AGAIN_MS || !isRunning(info)) return false;
      pressed = box.host.clock.now();
      await session.call(commands.pressPowerButton(spec.uuid));
      return false;
    });
    if (still) return;
    await box.host.clock.sleep(Math.min(LOOK_EVERY_MS, Math.max(0, deadline - box.host.clock.now())));
  }
  await box.session((session) => endNow(box.host, session, spec));
}

/** Disconnects the cables before the power-off, so that no last packet leaves the machine. */
export async function hardKill(box: VirtualBox, spec: MachineSpec): Promise<void> {
  await box.session(async (session) => {
    const info = await session.vm(spec.uuid);
    if (!info || isStill(info)) return;
    for (const slot of pluggedSlots(info)) {
      await unlessEnded(session, spec, session.call(commands.setCable(spec.uuid, slot, false)));
    }
    await endNow(box.host, session, spec);
  });
}

/** Powers the machine off and waits until VirtualBox has released it. */
export async function endNow(host: Host, session: Session, spec: IdentifiedMachine): Promise<void> {
  const info = await session.vm(spec.uuid);
  if (!info || isStill(info)) return;
  await session.call(commands.cutPower(spec.uuid));
  const deadline = host.clock.now() + END_MS;
  for (;;) {
    const now = await session.vm(spec.uuid);
    if (!now || isStill(now)) return;
    if (host.clock.now() > deadline) {
      throw new UserError(
        "machine-not-killed",
        `machine ${spec.name} is still ${vmState(now)} ${END_MS / 1000} s after its power was cut`,
        "end its VBoxHeadless process, then try again",
      );
    }
    await host.clock.sleep(LOOK_EVERY_MS);
  }
}

/** Ignores a failure if the machine has ended in the meantime. */
async function unlessEnded(session: Session, spec: IdentifiedMachine, action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    const info = await session.vm(spec.uuid);
    if (info && isBusy(info)) throw error;
  }
}

export const pluggedSlots = (info: VmInfo): readonly number[] =>
  Array.from({ length: ADAPTERS }, (_, position) => position + 1).filter(
    (slot) =>
      (info.values.get(`nic${slot}`) ?? "none") !== "none" && info.values.get(`cableconnected${slot}`) !== "off",
  );

/** Reconnects the cables, because a hard kill disconnects them and VirtualBox stores that. */
async function plugCables(session: Session, spec: MachineSpec, info: VmInfo): Promise<void> {
  const pulled = [...info.values].flatMap(([key, value]) => {
    const slot = /^cableconnected(\d)$/.exec(key)?.[1];
    return slot !== undefined && value === "off" ? [`--cableconnected${slot}`, "on"] : [];
  });
  if (pulled.length > 0) await session.call(commands.modifyVm(spec.uuid, pulled));
}

/** Keeps the previous output, because VirtualBox truncates the file at each start. */
async function rotateConsole(host: Host, machine: MachineName): Promise<void> {
  const { consoleLog, lastConsoleLog } = machineFiles(host, machine);
  if (((await host.files.stamp(consoleLog))?.bytes ?? 0) === 0) return;
  await host.files.remove(lastConsoleLog);
  await host.files.move(consoleLog, lastConsoleLog);
}

export async function mustExist(session: Session, spec: MachineSpec, maxAgeMs = 0): Promise<VmInfo> {
  const info = await session.vm(spec.uuid, maxAgeMs);
  if (info) return info;
  throw machineMissing(spec);
}
