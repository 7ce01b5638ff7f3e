import * as fs from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { imagesFolder } from "../../host/data-folder";
import { exists } from "../../host/file-store";
import { localHost } from "../../host/local-host";
import { startProcess } from "../../host/start-process";
import type { MachineSpec, Owner } from "../../hypervisors/hypervisor";
import { runMachine } from "../../hypervisors/qemu/commands";
import { createQemuDriver } from "../../hypervisors/qemu/driver";
import { machineFiles } from "../../hypervisors/qemu/folders";
import { chooseAccelerator, usableVersion } from "../../hypervisors/qemu/host-checks";
import { inspectImage } from "../../hypervisors/qemu/images";
import { qmpSocket } from "../../hypervisors/qemu/names";
import { machineProcesses } from "../../hypervisors/qemu/processes";
import { withQmp } from "../../hypervisors/qemu/qmp";
import { exampleSettings } from "../support/example-stacks";
import { bareSeed, GuestKeys, guestImage, guestMachine, guestPlan } from "../support/qemu-guests";
import { qemuSkipReason } from "../support/qemu-host";
import { type Bench, type Round, secondsOf } from "./bench";

const MIB = 1024 ** 2;
/** Idle time after a boot before the memory is read. */
const SETTLE_MS = 30_000;
const stack = `bench-${process.pid.toString(36)}`;
const owner: Owner = { stack, urn: `urn:pulumi:${stack}::bench::qemu` };
const driver = createQemuDriver(localHost);

/** Boots machines from the disk image, one alone and four at once, until cloud-init is done. */
export const qemu: Bench = {
  configurations: [exampleSettings("lab")],
  onlyWhenNamed: true,
  rows: [
    { name: "qemu-boot", unit: "s", what: "a machine on QEMU, from its start until cloud-init finishes" },
    { name: "qemu-boot-4", unit: "s", what: "the same, the last of four that start at once" },
    {
      name: "qemu-start-overhead",
      unit: "s",
      what: "start of a machine by the driver; limit: the same QEMU started manually",
    },
    { name: "qemu-idle-memory", unit: "MiB", what: "resident memory of a machine's QEMU half a minute after its boot" },
    { name: "qemu-clone-disk", unit: "MiB", what: "disk space of a machine before its guest writes" },
  ],
  unavailable: async () => {
    const reason = await qemuSkipReason();
    if (reason) return reason;
    const there = await exists(path.join(imagesFolder(), guestImage(), "image.json"));
    return there ? undefined : `the image ${guestImage()} is missing: npm run test:qemu builds it`;
  },
  async measure(round) {
    const machines = await makeMachines(4);
    try {
      await measureStart(round, machines[0] as MachineSpec);
      await measureBoot(round, "qemu-boot", machines.slice(0, 1));
      if (round.wants("qemu-boot-4")) await measureBoot(round, "qemu-boot-4", machines);
    } finally {
      await removeMachines();
    }
  },
};

async function makeMachines(count: number): Promise<readonly MachineSpec[]> {
  const plan = guestPlan(stack, { api: 20_000, ssh: 20_001 });
  const keys = await GuestKeys.make();
  const nodes = plan.nodes.filter(({ roles }) => !roles.includes("gateway")).slice(0, count);
  await driver.ensureImage({ name: guestImage() });
  for (const { name } of plan.segments) await driver.ensureSegment({ stack, name }, owner);
  for (const node of nodes) await driver.ensureMachine(guestMachine(plan, node), bareSeed(plan, node, keys), owner);
  return nodes.map((node) => guestMachine(plan, node));
}

async function removeMachines(): Promise<void> {
  for (const machine of await driver.listMachines(stack)) await driver.removeMachine(machine, owner);
  for (const { name } of guestPlan(stack, { api: 20_000, ssh: 20_001 }).segments)
    await driver.removeSegment({ stack, name }, owner);
  if (await inspectImage(localHost, { name: guestImage() })) await driver.releaseImage({ name: guestImage() });
}

/** Starts the same QEMU twice, manually and by the driver, each time until QMP responds. */
async function measureStart(round: Round, machine: MachineSpec): Promise<void> {
  const files = machineFiles(localHost, machine);
  const { blocks } = await fs.stat(files.disk);
  round.record("qemu-clone-disk", { value: (blocks * 512) / MIB });
  const options = {
    version: await usableVersion(localHost),
    accelerator: await chooseAccelerator(localHost),
    files,
    dataDisks: [],
  };
  const byHand = await secondsOf(async () => {
    await startProcess(runMachine(localHost, machine, options), { outputFile: files.qemuLog, outputLimit: 1_000_000 });
    while (!(await withQmp(localHost, qmpSocket(localHost, machine), async () => true).catch(() => false)))
      await sleep(10);
  });
  await driver.stopMachine(machine, 0);
  const byDriver = await secondsOf(() => driver.startMachine(machine));
  await driver.stopMachine(machine, 0);
  round.record("qemu-start-overhead", { value: byDriver, limit: byHand });
}

async function measureBoot(round: Round, row: string, machines: readonly MachineSpec[]): Promise<void> {
  const seconds = await secondsOf(async () => {
    for (const machine of machines) await driver.startMachine(machine);
    await Promise.all(machines.map((machine) => untilBooted(round, machine)));
  });
  round.record(row, { value: seconds });
  if (machines.length === 1 && round.wants("qemu-idle-memory")) {
    await sleep(SETTLE_MS, undefined, { signal: round.signal });
    round.record("qemu-idle-memory", { value: await residentMib(machines[0] as MachineSpec) });
  }
  for (const machine of machines) await driver.stopMachine(machine, 0);
}

/** cloud-init prints a line on the console when it finishes. */
async function untilBooted(round: Round, machine: MachineSpec): Promise<void> {
  const log = machineFiles(localHost, machine).consoleLog;
  while (!/Cloud-init v\. .* finished at/.test(await fs.readFile(log, "utf8").catch(() => ""))) {
    await sleep(200, undefined, { signal: round.signal });
  }
}

async function residentMib(machine: MachineSpec): Promise<number> {
  const [process] = await machineProcesses(localHost, machine);
  if (!process) throw new Error(`${machine.name} is not running`);
  const status = await fs.readFile(`/proc/${process.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
