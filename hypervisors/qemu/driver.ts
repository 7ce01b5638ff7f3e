import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { exchangedDisks, startableMachine } from "../exchange-disk";
import type { Hypervisor, MachineSpec, StackObject } from "../hypervisor";
import { machineActions } from "../machine-records";
import { stackSnapshots } from "../snapshots/stack-snapshots";
import { diskNames, recordedObjects } from "../stack-objects";
import { ensureDisk, inspectDisk, removeDisk } from "./disks";
import { disksOf } from "./exchange-disk";
import { machineFiles } from "./folders";
import { hostProblems } from "./host-checks";
import { ensureImage, inspectImage, preparedImages, releaseImage } from "./images";
import { cardsOf, hardKill, setCards, start, stopOrderly } from "./machine-power";
import { readComplete, readRecord } from "./machine-record";
import { ensureMachine, inspectMachine, listMachines, removeMachine, withMachineLock } from "./machines";
import { cardOf } from "./names";
import { ensureSegment, inspectSegment, type NetworkOptions, removeSegment, segmentNames } from "./network";
import { isRunning } from "./processes";
import { snapshotMethod } from "./snapshots";

/** Virtual machines by QEMU, without root and without changes to the host's network: see README.md. */
export function createQemuDriver(host: Host, options: NetworkOptions = { hostLoopback: false }): Hypervisor {
  const { withMachine, withExistingMachine } = machineActions(
    (machine, action) => withMachineLock(host, machine, action),
    (machine) => readComplete(host, machine),
  );
  const snapshots = snapshotMethod(host, options);
  const disks = disksOf(host, snapshots);
  return {
    name: "qemu",
    problems: () => hostProblems(host),
    ensureSegment: (spec, owner) => ensureSegment(host, spec, owner, options),
    inspectSegment: (spec) => inspectSegment(host, spec),
    removeSegment: (spec, owner) => removeSegment(host, spec, owner, options),
    inspectImage: (spec) => inspectImage(host, spec),
    ensureImage: (spec) => ensureImage(host, spec),
    releaseImage: (spec) => releaseImage(host, spec),
    preparedImages: () => preparedImages(host),
    ensureDisk: (spec, owner) => ensureDisk(host, spec, owner),
    inspectDisk: (spec) => inspectDisk(host, spec),
    removeDisk: (spec, owner) => removeDisk(host, spec, owner),
    ensureMachine: (spec, seed, owner) => ensureMachine(host, spec, seed, owner),
    inspectMachine: (machine) => inspectMachine(host, machine),
    startMachine: (machine) =>
      withMachine(machine, async () => {
        const record = await startableMachine(host, disks, machine);
        await start(host, record.spec, options);
      }),
    stopMachine: (machine, deadlineMs) => withExistingMachine(machine, (spec) => stopOrderly(host, spec, deadlineMs)),
    removeMachine: (machine, owner) => removeMachine(host, machine, owner, options),
    listMachines: (stack) => listMachines(host, stack),
    listObjects: (stack) => listObjects(host, stack),
    links: { setLink: (machine, up, segment) => withMachine(machine, (spec) => setLink(host, spec, up, segment)) },
    systemDisks: exchangedDisks(host, disks),
    hardKill: { hardKill: (machine) => withMachine(machine, (spec) => hardKill(host, spec)) },
    consoleLog: { consoleLogPath: (machine) => machineFiles(host, machine).consoleLog },
    snapshots: stackSnapshots(host, snapshots),
  };
}

const listObjects = async (host: Host, stack: string): Promise<readonly StackObject[]> =>
  recordedObjects({
    machine: {
      names: listMachines(host, stack).then((machines) => machines.map(({ name }) => name)),
      read: (name) => readRecord(host, { stack, name }),
    },
    segment: { names: segmentNames(host, stack), read: (name) => inspectSegment(host, { stack, name }) },
    disk: { names: diskNames(host, stack, "qemu"), read: (name) => inspectDisk(host, { stack, name }) },
  });

async function setLink(host: Host, spec: MachineSpec, up: boolean, segment?: string): Promise<void> {
  if (!(await isRunning(host, spec))) {
    throw new UserError("machine-not-running", `machine ${spec.name} does not run`, "start it first: pulumi up");
  }
  const cards = cardsOf(spec).filter((card) => segment === undefined || card === cardOf(segment));
  if (cards.length === 0 && segment !== undefined) {
    const problem = `machine ${spec.name} is not attached to segment ${segment}`;
    throw new UserError("no-such-cable", problem, "name one of its segments");
  }
  await setCards(host, spec, cards, up);
}
