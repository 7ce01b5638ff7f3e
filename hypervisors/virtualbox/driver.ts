import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { HostFinding, HostProblem, Hypervisor, MachineSpec, StackObject } from "../hypervisor";
import { machineActions } from "../machine-records";
import { finishRestore } from "../snapshots/restore-snapshot";
import { stackSnapshots } from "../snapshots/stack-snapshots";
import { diskNames, recordedObjects } from "../stack-objects";
import { wantedAdapters } from "./adapters";
import { segmentProblems } from "./attachments";
import * as commands from "./commands";
import { ensureDisk, inspectDisk, readDiskRecord, removeDisk } from "./disks";
import { machineFiles } from "./folders";
import { gatherHostFacts } from "./host-facts";
import { ensureImage, inspectImage, preparedImages, releaseImage } from "./images";
import { judgeHost } from "./judge-host";
import { hardKill, mustExist, start, stopOrderly } from "./machine-power";
import { readComplete, readRecord } from "./machine-record";
import { ensureMachine, inspectMachine, listMachines, removeMachine, withMachineLock } from "./machines";
import { ensureSegment, inspectSegment, removeSegment, segmentNames } from "./segments";
import { snapshotMethod } from "./snapshots";
import { hostVirtualBox, type VirtualBox } from "./vboxmanage";
import { isRunning } from "./vm-state";

/** Virtual machines by VirtualBox; README.md describes what is created where. */
/** @param box the VirtualBox of this host; tests pass a different one */
export function createVirtualBoxDriver(host: Host, box: VirtualBox = hostVirtualBox(host)): Hypervisor {
  const { withMachine, withExistingMachine } = machineActions(
    (machine, action) => withMachineLock(host, machine, action),
    (machine) => readComplete(host, machine),
  );
  const snapshots = snapshotMethod(box);
  return {
    name: "virtualbox",
    problems: () => hostProblems(host),
    examineHost: () => examineHost(host),
    ensureSegment: (spec, owner) => ensureSegment(box, spec, owner),
    inspectSegment: (spec) => inspectSegment(host, spec),
    removeSegment: (spec, owner) => removeSegment(box, spec, owner),
    segmentProblems: (spec) => segmentProblems(box, spec),
    inspectImage: async ({ name }) => {
      const image = await inspectImage(box, name);
      return image && { digest: image.digest };
    },
    ensureImage: async ({ name }) => ({ digest: (await ensureImage(box, name)).digest }),
    releaseImage: ({ name }) => releaseImage(box, name),
    preparedImages: () => preparedImages(host),
    ensureDisk: (spec, owner) => ensureDisk(box, spec, owner),
    inspectDisk: (spec) => inspectDisk(box, spec),
    removeDisk: (spec, owner) => removeDisk(box, spec, owner),
    ensureMachine: (spec, seed, owner, announce) => ensureMachine(box, spec, seed, owner, announce),
    inspectMachine: (machine) => inspectMachine(box, machine),
    startMachine: (machine) =>
      withMachine(machine, async (spec) => {
        const record = await readComplete(host, machine);
        if (record) await finishRestore(host, snapshots, record);
        await start(box, spec);
      }),
    stopMachine: (machine, deadlineMs) => withExistingMachine(machine, (spec) => stopOrderly(box, spec, deadlineMs)),
    removeMachine: (machine, owner) => removeMachine(box, machine, owner),
    listMachines: (stack) => listMachines(host, stack),
    listObjects: (stack) => listObjects(host, stack),
    links: { setLink: (machine, up, segment) => withMachine(machine, (spec) => setLink(box, spec, up, segment)) },
    hardKill: { hardKill: (machine) => withMachine(machine, (spec) => hardKill(box, spec)) },
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
    disk: { names: diskNames(host, stack, "virtualbox"), read: (name) => readDiskRecord(host, { stack, name }) },
  });

async function setLink(box: VirtualBox, spec: MachineSpec, up: boolean, segment?: string): Promise<void> {
  const adapters = wantedAdapters(spec).filter((adapter) => segment === undefined || adapter.segment === segment);
  if (adapters.length === 0) {
    throw new UserError(
      "no-such-cable",
      `machine ${spec.name} is not attached to segment ${segment}`,
      "name one of its segments",
    );
  }
  await box.session(async (session) => {
    if (!isRunning(await mustExist(session, spec))) {
      throw new UserError("machine-not-running", `machine ${spec.name} does not run`, "start it first: pulumi up");
    }
    for (const { slot } of adapters) await session.call(commands.setCable(spec.uuid, slot, up));
  });
}

/** All findings about VirtualBox on this host. Changes nothing. */
async function examineHost(host: Host): Promise<readonly HostFinding[]> {
  return judgeHost(await gatherHostFacts(host));
}

/** The findings that prevent machines from running on this host. */
async function hostProblems(host: Host): Promise<readonly HostProblem[]> {
  const findings = await examineHost(host);
  return findings.flatMap(({ id, state, text, hint = "" }) =>
    state === "problem" ? [{ id, problem: text, hint }] : [],
  );
}
