import { UserError } from "../../model/user-error";
import type { Hypervisor, MachineName } from "../hypervisor";
import { machineActions } from "../machine-records";
import { ensureDisk, inspectDisk, removeDisk } from "./disks";
import { machineFiles } from "./folders";
import { hostProblems } from "./host-checks";
import { ensureImage, inspectImage, releaseImage } from "./images";
import { cardsOf, hardKill, setCards, start, stopOrderly } from "./machine-power";
import { readComplete } from "./machine-record";
import { ensureMachine, inspectMachine, listMachines, removeMachine, withMachineLock } from "./machines";
import { cardOf } from "./names";
import type { NetworkOptions } from "./network";
import { isRunning } from "./processes";
import { ensureSegment, inspectSegment, removeSegment } from "./segments";
import { deleteSnapshot, restoreSnapshot, takeSnapshot } from "./snapshots";

const { withMachine, withExistingMachine } = machineActions(withMachineLock, readComplete);

/** Virtual machines by QEMU, without root and without touching the host's network: see README.md. */
export function createQemuDriver(options: NetworkOptions = { hostLoopback: false }): Hypervisor {
  return {
    name: "qemu",
    problems: hostProblems,
    ensureSegment: (spec, owner) => ensureSegment(spec, owner, options),
    inspectSegment,
    removeSegment: (spec, owner) => removeSegment(spec, owner, options),
    inspectImage,
    ensureImage,
    releaseImage,
    ensureDisk,
    inspectDisk,
    removeDisk,
    ensureMachine,
    inspectMachine,
    startMachine: (machine) => withMachine(machine, (spec) => start(spec, options)),
    stopMachine: (machine, deadlineMs) => withExistingMachine(machine, (spec) => stopOrderly(spec, deadlineMs)),
    removeMachine: (machine, owner) => removeMachine(machine, owner, options),
    listMachines,
    links: { setLink },
    hardKill: { hardKill: (machine) => withMachine(machine, hardKill) },
    consoleLog: { consoleLogPath: (machine) => machineFiles(machine).consoleLog },
    snapshots: {
      takeSnapshot: (machine, name) => withMachine(machine, (spec) => takeSnapshot(spec, name)),
      restoreSnapshot: (machine, name) => withMachine(machine, (spec) => restoreSnapshot(spec, name)),
      deleteSnapshot: (machine, name) => withMachine(machine, (spec) => deleteSnapshot(spec, name)),
    },
  };
}

async function setLink(machine: MachineName, up: boolean, segment?: string): Promise<void> {
  await withMachine(machine, async (spec) => {
    if (!(await isRunning(spec))) {
      throw new UserError("machine-not-running", `machine ${spec.name} does not run`, "start it first: pulumi up");
    }
    const cards = cardsOf(spec).filter((card) => segment === undefined || card === cardOf(segment));
    if (cards.length === 0 && segment !== undefined) {
      const problem = `machine ${spec.name} has no cable into ${segment}`;
      throw new UserError("no-such-cable", problem, "name one of its segments");
    }
    await setCards(spec, cards, up);
  });
}
