import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { exchangedDisks, startableMachine } from "../exchange-disk";
import { type Hypervisor, ImageMissingError, type MachineSpec, type StackObject } from "../hypervisor";
import { machineActions } from "../machine-records";
import { stackSnapshots } from "../snapshots/stack-snapshots";
import { diskNames, recordedObjects } from "../stack-objects";
import { setCables, stackBatch } from "./commands";
import { ensureDisk, inspectDisk, removeDisk } from "./disks";
import { disksOf } from "./exchange-disk";
import { machineFiles } from "./folders";
import { hostProblems } from "./host-checks";
import { hardKill, isRunning, start, stopOrderly } from "./machine-power";
import { inspectImage } from "./machine-root";
import {
  ensureMachine,
  inspectMachine,
  listMachines,
  readComplete,
  readRecord,
  removeMachine,
  withMachineLock,
} from "./machines";
import { UPLINK } from "./names";
import { ensureSegment, inspectSegment, removeSegment, segmentNames } from "./segments";
import { snapshotMethod } from "./snapshots";
import { setUplinkLink } from "./uplink";

/** System containers on Linux by systemd-nspawn. README.md describes them and what they change on the host. */
export function createNspawnDriver(host: Host): Hypervisor {
  const { withMachine, withExistingMachine } = machineActions(
    (machine, action) => withMachineLock(host, machine, action),
    (machine) => readComplete(host, machine),
  );
  const snapshots = snapshotMethod(host);
  const disks = disksOf(host, snapshots);
  return {
    name: "nspawn",
    problems: () => hostProblems(host),
    ensureSegment: (spec, owner) => ensureSegment(host, spec, owner),
    inspectSegment: (spec) => inspectSegment(host, spec),
    removeSegment: (spec, owner) => removeSegment(host, spec, owner),
    inspectImage: async ({ name }) => {
      const image = await inspectImage(host, name);
      return image && { digest: image.digest };
    },
    ensureImage: async ({ name }) => {
      const image = await inspectImage(host, name);
      if (!image) throw new ImageMissingError(name);
      return { digest: image.digest };
    },
    async releaseImage() {
      // Machines use the sealed folder itself: there is nothing to release.
    },
    ensureDisk: (spec, owner) => ensureDisk(host, spec, owner),
    inspectDisk: (spec) => inspectDisk(host, spec),
    removeDisk: (spec, owner) => removeDisk(host, spec, owner),
    ensureMachine: (spec, seed, owner) => ensureMachine(host, spec, seed, owner),
    inspectMachine: (machine) => inspectMachine(host, machine),
    startMachine: (machine) =>
      withMachine(machine, async () => {
        const record = await startableMachine(host, disks, machine);
        await start(host, record.spec);
      }),
    stopMachine: (machine, deadlineMs) => withExistingMachine(machine, (spec) => stopOrderly(host, spec, deadlineMs)),
    removeMachine: (machine, owner) => removeMachine(host, machine, owner),
    listMachines: (stack) => listMachines(host, stack),
    listObjects: (stack) => listObjects(host, stack),
    links: { setLink: (machine, up, segment) => withMachine(machine, (spec) => setLink(host, spec, up, segment)) },
    hardKill: { hardKill: (machine) => withMachine(machine, (spec) => hardKill(host, spec)) },
    consoleLog: { consoleLogPath: (machine) => machineFiles(host, machine).consoleLog },
    systemDisks: exchangedDisks(host, disks),
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
    disk: { names: diskNames(host, stack, "nspawn"), read: (name) => inspectDisk(host, { stack, name }) },
  });

async function setLink(host: Host, spec: MachineSpec, up: boolean, segment?: string): Promise<void> {
  if (!(await isRunning(host, spec))) {
    throw new UserError("machine-not-running", `machine ${spec.name} does not run`, "start it first: pulumi up");
  }
  const nics = spec.nics.filter((nic) => segment === undefined || nic.segment === segment);
  const uplink = spec.uplink !== undefined && (segment === undefined || segment === UPLINK);
  if (nics.length === 0 && !uplink) {
    throw new UserError(
      "no-such-cable",
      `machine ${spec.name} is not attached to segment ${segment}`,
      "name one of its segments",
    );
  }
  if (nics.length > 0) {
    const segments = nics.map((nic) => nic.segment);
    await host.run(stackBatch(spec.stack), { stdin: setCables(spec.name, segments, up).join("\n") });
  }
  if (uplink) await setUplinkLink(host, spec, up);
}
