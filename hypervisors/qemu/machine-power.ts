import { outputTail, type ProcessIdentity } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { checkPorts } from "../host-ports";
import { type MachineName, type MachineSpec, OUTPUT_LIMIT, requireSegments } from "../hypervisor";
import { runMachine } from "./commands";
import { diskFile, inspectDisk } from "./disks";
import { machineFiles } from "./folders";
import { chooseAccelerator, usableVersion } from "./host-checks";
import { cardOf, qmpSocket, UPLINK_CARD } from "./names";
import { ensureNetwork, type NetworkOptions, segmentNames } from "./network";
import { isRunning, machineProcesses } from "./processes";
import { withQmp } from "./qmp";

const READY_MS = 60_000;
/** A guest that is still booting ignores its power button, so it is pressed again. */
const PRESS_AGAIN_MS = 3_000;
/** QEMU flushes its caches, which takes time on a busy disk. */
const QUIT_MS = 10_000;

export async function start(host: Host, spec: MachineSpec, options: NetworkOptions): Promise<void> {
  await ensureNetwork(host, spec.stack, options);
  if (await isRunning(host, spec)) return goOn(host, spec);
  await checkPorts(host, spec);
  const argv = await commandOf(host, spec);
  const files = machineFiles(host, spec);
  await host.files.remove(qmpSocket(host, spec));
  if (await host.files.exists(files.consoleLog)) await host.files.move(files.consoleLog, files.previousConsoleLog);
  try {
    const qemu = await host.processes.start(argv, { outputFile: files.qemuLog, outputLimit: OUTPUT_LIMIT });
    await waitUntilReady(host, spec, qemu);
  } catch (error) {
    await cutPower(host, spec);
    throw error;
  }
}

export async function stopOrderly(host: Host, machine: MachineName, deadlineMs: number): Promise<void> {
  const deadline = host.clock.now() + deadlineMs;
  let pressed = Number.NEGATIVE_INFINITY;
  while ((await isRunning(host, machine)) && host.clock.now() < deadline) {
    if (host.clock.now() - pressed >= PRESS_AGAIN_MS) {
      // QEMU may be exiting, or not listening yet.
      await withQmp(host, qmpSocket(host, machine), (qmp) => qmp.execute("system_powerdown")).catch(() => undefined);
      pressed = host.clock.now();
    }
    await host.clock.sleep(50);
  }
  await cutPower(host, machine);
}

/** Stops the machine regardless of its guest. Asks QEMU first, so that it flushes its files. */
export async function cutPower(host: Host, machine: MachineName): Promise<void> {
  if (await isRunning(host, machine)) {
    const asked = withQmp(host, qmpSocket(host, machine), (qmp) => qmp.execute("quit"));
    await Promise.race([asked.catch(() => undefined), host.clock.sleep(QUIT_MS)]);
    const deadline = host.clock.now() + QUIT_MS;
    while ((await isRunning(host, machine)) && host.clock.now() < deadline) await host.clock.sleep(20);
  }
  await kill(host, machine);
}

/** Unplugs the cables first, so that no closing packets leave the machine, then kills it. */
export async function hardKill(host: Host, spec: MachineSpec): Promise<void> {
  if (await isRunning(host, spec)) await setCards(host, spec, cardsOf(spec), false).catch(() => undefined);
  await kill(host, spec);
}

/** QMP names of a machine's network cards. */
export const cardsOf = (spec: MachineSpec): readonly string[] => [
  ...spec.nics.map(({ segment }) => cardOf(segment)),
  ...(spec.uplink ? [UPLINK_CARD] : []),
];

export async function setCards(host: Host, machine: MachineName, cards: readonly string[], up: boolean): Promise<void> {
  await withQmp(host, qmpSocket(host, machine), async (qmp) => {
    for (const name of cards) await qmp.execute("set_link", { name, up });
  });
}

async function kill(host: Host, machine: MachineName): Promise<void> {
  for (const process of await machineProcesses(host, machine)) await host.processes.kill(process);
  await host.files.remove(qmpSocket(host, machine));
}

/** A guest stands still that a killed snapshot has paused. */
export async function isPaused(host: Host, machine: MachineName): Promise<boolean> {
  return (await isRunning(host, machine)) && (await statusOf(host, machine)) === "paused";
}

const statusOf = (host: Host, machine: MachineName): Promise<string> =>
  withQmp(
    host,
    qmpSocket(host, machine),
    async (qmp) => (await qmp.execute<{ status: string }>("query-status")).status,
  );

/** Resumes a guest that QEMU has paused because the host's disk was full, or that a killed snapshot has paused. */
async function goOn(host: Host, spec: MachineSpec): Promise<void> {
  const status = () => statusOf(host, spec);
  const before = await status();
  if (before === "paused") await withQmp(host, qmpSocket(host, spec), (qmp) => qmp.execute("cont"));
  if (before !== "io-error") return;
  await withQmp(host, qmpSocket(host, spec), (qmp) => qmp.execute("cont"));
  await host.clock.sleep(500);
  if ((await status()) !== "io-error") return;
  throw new UserError(
    "disk-full",
    `machine ${spec.name} is paused: its disk ${machineFiles(host, spec).disk} cannot be written to`,
    "free some space there and run the same command again: the machine resumes",
  );
}

async function commandOf(host: Host, spec: MachineSpec): Promise<readonly string[]> {
  requireSegments(spec, await segmentNames(host, spec.stack));
  for (const { disk } of spec.disks) {
    if (await inspectDisk(host, { stack: spec.stack, name: disk })) continue;
    const problem = `disk ${disk} of machine ${spec.name} does not exist`;
    throw new UserError("disk-missing", problem, "create the disk first");
  }
  return runMachine(host, spec, {
    version: await usableVersion(host),
    accelerator: await chooseAccelerator(host),
    files: machineFiles(host, spec),
    dataDisks: spec.disks.map(({ disk }) => diskFile(host, { stack: spec.stack, name: disk })),
  });
}

async function waitUntilReady(host: Host, spec: MachineSpec, qemu: ProcessIdentity): Promise<void> {
  const deadline = host.clock.now() + READY_MS;
  for (;;) {
    const answers = await withQmp(host, qmpSocket(host, spec), async () => true).catch(() => false);
    if (answers) return;
    if (host.clock.now() > deadline || !host.processes.isSame(qemu.pid, qemu.startTime)) {
      const output = (await host.files.readText(machineFiles(host, spec).qemuLog)) ?? "";
      throw new UserError(
        "machine-not-started",
        `machine ${spec.name} did not start:\n${outputTail(output)}`,
        "look at what QEMU says; `npx groundplane doctor` checks what it needs",
      );
    }
    await host.clock.sleep(10);
  }
}
