import { runCommand } from "../../host/run-command";
import { UserError } from "../../model/user-error";
import { type Hypervisor, ImageMissingError, type MachineName } from "../hypervisor";
import { machineActions } from "../machine-records";
import { setWeight } from "./cgroups";
import { setCables, stackBatch } from "./commands";
import { ensureDisk, inspectDisk, removeDisk } from "./disks";
import { machineFiles } from "./folders";
import { hostProblems } from "./host-checks";
import { hardKill, isRunning, start, stopOrderly } from "./machine-power";
import { readComplete } from "./machine-record";
import { inspectImage } from "./machine-root";
import { ensureMachine, inspectMachine, listMachines, removeMachine, withMachineLock } from "./machines";
import { UPLINK } from "./names";
import { ensureSegment, inspectSegment, removeSegment } from "./segments";
import { setUplinkLink } from "./uplink";

const { withMachine, withExistingMachine } = machineActions(withMachineLock, readComplete);

/** System containers on Linux by systemd-nspawn: see README.md for what they are and what of the host they touch. */
export function createNspawnDriver(): Hypervisor {
  return {
    name: "nspawn",
    problems: hostProblems,
    ensureSegment,
    inspectSegment,
    removeSegment,
    inspectImage: async ({ name }) => {
      const image = await inspectImage(name);
      return image && { digest: image.digest };
    },
    ensureImage: async ({ name }) => {
      const image = await inspectImage(name);
      if (!image) throw new ImageMissingError(name);
      return { digest: image.digest };
    },
    async releaseImage() {
      // Machines use the sealed folder itself: nothing was made of it.
    },
    ensureDisk,
    inspectDisk,
    removeDisk,
    ensureMachine,
    inspectMachine,
    startMachine: (machine) => withMachine(machine, start),
    stopMachine: (machine, deadlineMs) => withExistingMachine(machine, (spec) => stopOrderly(spec, deadlineMs)),
    removeMachine,
    listMachines,
    links: { setLink },
    hardKill: { hardKill: (machine) => withMachine(machine, hardKill) },
    consoleLog: { consoleLogPath: (machine) => machineFiles(machine).consoleLog },
    cpuWeights: { setCpuWeight: (machine, weight) => withMachine(machine, (spec) => setWeight(spec, weight)) },
  };
}

async function setLink(machine: MachineName, up: boolean, segment?: string): Promise<void> {
  await withMachine(machine, async (spec) => {
    if (!(await isRunning(spec))) {
      throw new UserError("machine-not-running", `machine ${spec.name} does not run`, "start it first: pulumi up");
    }
    const nics = spec.nics.filter((nic) => segment === undefined || nic.segment === segment);
    const uplink = spec.uplink !== undefined && (segment === undefined || segment === UPLINK);
    if (nics.length === 0 && !uplink) {
      throw new UserError(
        "no-such-cable",
        `machine ${spec.name} has no cable into ${segment}`,
        "name one of its segments",
      );
    }
    if (nics.length > 0) {
      const segments = nics.map((nic) => nic.segment);
      await runCommand(stackBatch(spec.stack), { stdin: setCables(spec.name, segments, up).join("\n") });
    }
    if (uplink) await setUplinkLink(spec, up);
  });
}
