import { exists, moveTree, readIfPresent, removeTree } from "../../host/file-store";
import { isSameProcess, killProcess, startProcess } from "../../host/start-process";
import { outputTail, type ProcessIdentity } from "../../model/commands";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec } from "../hypervisor";
import { chooseAccelerator } from "./accelerator";
import { runMachine } from "./commands";
import { diskFile, inspectDisk } from "./disks";
import { machineFiles } from "./folders";
import { usableVersion } from "./host-checks";
import { cardOf, qmpSocket, UPLINK_CARD } from "./names";
import { ensureNetwork, type NetworkOptions, segmentNames } from "./network";
import { isRunning, machineProcesses } from "./processes";
import { withQmp } from "./qmp";
import { checkPorts } from "./uplink";

const READY_MS = 60_000;
/** A guest that boots takes no notice of its power button yet: it is pressed again. */
const PRESS_AGAIN_MS = 3_000;
/** QEMU writes out what it holds; on a busy disk that takes its time. */
const QUIT_MS = 10_000;

export async function start(spec: MachineSpec, options: NetworkOptions): Promise<void> {
  await ensureNetwork(spec.stack, options);
  if (await isRunning(spec)) return goOn(spec);
  await checkPorts(spec);
  const argv = await commandOf(spec);
  const files = machineFiles(spec);
  await removeTree(qmpSocket(spec));
  if (await exists(files.consoleLog)) await moveTree(files.consoleLog, files.previousConsoleLog);
  try {
    const qemu = await startProcess(argv, { outputFile: files.qemuLog });
    await waitUntilReady(spec, qemu);
  } catch (error) {
    await cutPower(spec);
    throw error;
  }
}

export async function stopOrderly(machine: MachineName, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  let pressed = Number.NEGATIVE_INFINITY;
  while ((await isRunning(machine)) && Date.now() < deadline) {
    if (Date.now() - pressed >= PRESS_AGAIN_MS) {
      // It may end, or not listen yet, at this very moment.
      await withQmp(qmpSocket(machine), (qmp) => qmp.execute("system_powerdown")).catch(() => undefined);
      pressed = Date.now();
    }
    await pause(50);
  }
  await cutPower(machine);
}

/** Ends the machine whatever its guest does. QEMU is asked first, so that its files are complete. */
export async function cutPower(machine: MachineName): Promise<void> {
  if (await isRunning(machine)) {
    const asked = withQmp(qmpSocket(machine), (qmp) => qmp.execute("quit"));
    await Promise.race([asked.catch(() => undefined), pause(QUIT_MS)]);
    const deadline = Date.now() + QUIT_MS;
    while ((await isRunning(machine)) && Date.now() < deadline) await pause(20);
  }
  await kill(machine);
}

/** Cables first, so that no goodbye leaves the machine, then the whole of it at once. */
export async function hardKill(spec: MachineSpec): Promise<void> {
  if (await isRunning(spec)) await setCards(spec, cardsOf(spec), false).catch(() => undefined);
  await kill(spec);
}

/** Every network card of a machine, as QMP knows it. */
export const cardsOf = (spec: MachineSpec): readonly string[] => [
  ...spec.nics.map(({ segment }) => cardOf(segment)),
  ...(spec.uplink ? [UPLINK_CARD] : []),
];

export async function setCards(machine: MachineName, cards: readonly string[], up: boolean): Promise<void> {
  await withQmp(qmpSocket(machine), async (qmp) => {
    for (const name of cards) await qmp.execute("set_link", { name, up });
  });
}

async function kill(machine: MachineName): Promise<void> {
  for (const process of await machineProcesses(machine)) await killProcess(process);
  await removeTree(qmpSocket(machine));
}

/** A guest that QEMU has stopped because the host's disk was full goes on when there is room again. */
async function goOn(spec: MachineSpec): Promise<void> {
  const status = () =>
    withQmp(qmpSocket(spec), async (qmp) => (await qmp.execute<{ status: string }>("query-status")).status);
  if ((await status()) !== "io-error") return;
  await withQmp(qmpSocket(spec), (qmp) => qmp.execute("cont"));
  await pause(500);
  if ((await status()) !== "io-error") return;
  throw new UserError(
    "disk-full",
    `machine ${spec.name} stands still: its disk ${machineFiles(spec).disk} cannot be written to`,
    "free some space there and run the same command again: it goes on where it stopped",
  );
}

async function commandOf(spec: MachineSpec): Promise<readonly string[]> {
  const known = await segmentNames(spec.stack);
  const unknown = spec.nics.find((nic) => !known.includes(nic.segment));
  if (unknown) {
    throw new UserError(
      "segment-missing",
      `machine ${spec.name} has a cable into segment ${unknown.segment}, which does not exist`,
      "create the segment first",
    );
  }
  for (const { disk } of spec.disks) {
    if (await inspectDisk({ stack: spec.stack, name: disk })) continue;
    const problem = `disk ${disk} of machine ${spec.name} does not exist`;
    throw new UserError("disk-missing", problem, "create the disk first");
  }
  return runMachine(spec, {
    version: await usableVersion(),
    accelerator: await chooseAccelerator(),
    files: machineFiles(spec),
    dataDisks: spec.disks.map(({ disk }) => diskFile({ stack: spec.stack, name: disk })),
  });
}

async function waitUntilReady(spec: MachineSpec, qemu: ProcessIdentity): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const answers = await withQmp(qmpSocket(spec), async () => true).catch(() => false);
    if (answers) return;
    if (Date.now() > deadline || !isSameProcess(qemu.pid, qemu.startTime)) {
      const output = (await readIfPresent(machineFiles(spec).qemuLog)) ?? "";
      throw new UserError(
        "machine-not-started",
        `machine ${spec.name} did not start:\n${outputTail(output)}`,
        "look at what QEMU says; `npx groundplane doctor` checks what it needs",
      );
    }
    await pause(10);
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
