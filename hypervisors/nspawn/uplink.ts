import * as path from "node:path";
import { askSocket } from "../../host/ask-socket";
import { makeFolder, readIfPresent, removeTree } from "../../host/file-store";
import { portTaken } from "../../host/port-holder";
import { findProcesses } from "../../host/process-table";
import { runCommand } from "../../host/run-command";
import { isSameProcess, killProcess, startProcess } from "../../host/start-process";
import { outputTail, type ProcessIdentity } from "../../model/commands";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec, PortForward } from "../hypervisor";
import { addUplinkTap, ipBatch, runUplink, setUplinkCarrier } from "./commands";
import { machineFiles, uplinkSocket } from "./folders";
import { machineNamespace, namespacePath } from "./names";
import { parseForwards, parseUplinkError } from "./parse-output";

/** The machine's address in slirp4netns' network. */
const GUEST_ADDRESS = "10.0.2.15";
const HOST_ADDRESS = "127.0.0.1";
const READY_MS = 10_000;

/** Adds the tap with the planned MAC to a new namespace of the machine. */
export async function addUplinkInterface(spec: MachineSpec): Promise<void> {
  if (!spec.uplink) return;
  await runCommand(ipBatch(machineNamespace(spec)), { stdin: addUplinkTap(spec.uplink).join("\n") });
}

/** Starts the machine's user-mode NAT unless it runs, and makes its port-forwards what the spec says. */
export async function ensureUplink(spec: MachineSpec): Promise<void> {
  if (!spec.uplink) return;
  if (!(await answers(spec))) await startUplink(spec);
  await ensureForwards(spec);
}

/** Ends the machine's user-mode NAT; its port-forwards end with it. */
export async function endUplink(machine: MachineName): Promise<void> {
  for (const process of await uplinkProcesses(machine)) await killProcess(process);
  await removeTree(uplinkSocket(machine));
}

export async function setUplinkLink(machine: MachineName, up: boolean): Promise<void> {
  await runCommand(ipBatch(machineNamespace(machine)), { stdin: setUplinkCarrier(up).join("\n") });
}

/** Removes forwards that are not wanted and adds those that are missing. */
export async function ensureForwards(spec: MachineSpec): Promise<void> {
  if (!spec.uplink) return;
  const present = parseForwards(await ask(spec, { execute: "list_hostfwd" }));
  const wanted = spec.uplink.forwards;
  for (const { id, ...forward } of present) {
    if (!wanted.some((candidate) => isSameForward(candidate, forward))) {
      await ask(spec, { execute: "remove_hostfwd", arguments: { id } });
    }
  }
  for (const forward of wanted) {
    if (!present.some((candidate) => isSameForward(candidate, forward))) await addForward(spec, forward);
  }
}

async function addForward(spec: MachineSpec, forward: PortForward): Promise<void> {
  const answer = await ask(spec, {
    execute: "add_hostfwd",
    arguments: {
      proto: "tcp",
      host_addr: HOST_ADDRESS,
      host_port: forward.hostPort,
      guest_addr: GUEST_ADDRESS,
      guest_port: forward.guestPort,
    },
  });
  if (parseUplinkError(answer) === undefined) return;
  throw await portTaken(spec.name, forward.hostPort);
}

async function startUplink(spec: MachineSpec): Promise<void> {
  await endUplink(spec);
  const socket = uplinkSocket(spec);
  const outputFile = machineFiles(spec).uplinkLog;
  await makeFolder(path.dirname(socket), 0o700);
  const process = await startProcess(runUplink(spec, socket), { outputFile });
  const deadline = Date.now() + READY_MS;
  while (!(await answers(spec))) {
    if (Date.now() > deadline || !isSameProcess(process.pid, process.startTime)) {
      throw new UserError(
        "uplink-not-started",
        `the way out of ${spec.name} (slirp4netns) did not start:\n${outputTail((await readIfPresent(outputFile)) ?? "")}`,
        "look at what it says; `npx groundplane doctor` checks what it needs",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const ask = (machine: MachineName, question: unknown): Promise<string> =>
  askSocket(uplinkSocket(machine), JSON.stringify(question));

const answers = (machine: MachineName): Promise<boolean> =>
  ask(machine, { execute: "list_hostfwd" }).then(
    () => true,
    () => false,
  );

/** Found by what it does, not by a recorded pid: so none is lost, whenever the one who started it was killed. */
function uplinkProcesses(machine: MachineName): Promise<readonly ProcessIdentity[]> {
  const namespace = namespacePath(machineNamespace(machine));
  return findProcesses((argv) => argv.includes("slirp4netns") && argv.includes(namespace));
}

const isSameForward = (a: PortForward, b: PortForward): boolean =>
  a.hostPort === b.hostPort && a.guestPort === b.guestPort;
