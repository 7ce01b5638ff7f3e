import * as path from "node:path";
import { CommandError, outputTail, type ProcessIdentity } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { portTaken } from "../host-ports";
import { type MachineName, type MachineSpec, OUTPUT_LIMIT, type PortForward } from "../hypervisor";
import { attach, kernelCalls } from "./border";
import { uplinkCgroup } from "./cgroups";
import { addUplinkTap, ipBatch, lengthenQueues, runUplink, setUplinkCarrier } from "./commands";
import { machineFiles, uplinkSocket } from "./folders";
import { machineNamespace, namespacePath } from "./names";
import { parseForwards, parseUplinkError } from "./parse-output";
import { uplinkPrograms } from "./uplink-programs";

/** The machine's address in slirp4netns' network. */
const GUEST_ADDRESS = "10.0.2.15";
const HOST_ADDRESS = "127.0.0.1";
const READY_MS = 10_000;

/** Adds the tap with the planned MAC to a new namespace of the machine. */
export async function addUplinkInterface(host: Host, spec: MachineSpec): Promise<void> {
  if (!spec.uplink) return;
  await host.run(ipBatch(machineNamespace(spec)), { stdin: addUplinkTap(spec.uplink).join("\n") });
}

/** Starts the machine's user-mode NAT unless it runs, and makes its port-forwards match the spec. */
export async function ensureUplink(host: Host, spec: MachineSpec): Promise<void> {
  if (!spec.uplink) return;
  if (!(await answers(host, spec))) await startUplink(host, spec);
  await ensureForwards(host, spec);
}

/** Ends the machine's user-mode NAT; its port-forwards end with it. */
export async function endUplink(host: Host, machine: MachineName): Promise<void> {
  for (const process of await uplinkProcesses(host, machine)) await host.processes.kill(process);
  await host.files.remove(uplinkSocket(machine));
  const cgroup = await uplinkCgroup(host, machine);
  if (cgroup !== undefined) await host.files.removeIfEmpty(cgroup);
}

export async function setUplinkLink(host: Host, machine: MachineName, up: boolean): Promise<void> {
  await host.run(ipBatch(machineNamespace(machine)), { stdin: setUplinkCarrier(up).join("\n") });
}

/** Removes forwards that are not wanted and adds those that are missing. */
async function ensureForwards(host: Host, spec: MachineSpec): Promise<void> {
  if (!spec.uplink) return;
  const present = parseForwards(await ask(host, spec, { execute: "list_hostfwd" }));
  const wanted = spec.uplink.forwards;
  for (const { id, ...forward } of present) {
    if (!wanted.some((candidate) => isSameForward(candidate, forward))) {
      await ask(host, spec, { execute: "remove_hostfwd", arguments: { id } });
    }
  }
  const missing = wanted.filter((forward) => !present.some((candidate) => isSameForward(candidate, forward)));
  for (const forward of missing) await addForward(host, spec, forward);
  if (missing.length > 0) await lengthenForwardQueues(host, spec);
}

/**
 * slirp4netns lets one new connection wait at each port-forward. While it waited 30 ms for a processor, the kernel dropped all others,
 * and their clients repeated them after a second. Kernels before 5.6 and some sandboxes refuse the change: the forwards work without it.
 */
async function lengthenForwardQueues(host: Host, machine: MachineName): Promise<void> {
  for (const { pid } of await uplinkProcesses(host, machine)) {
    await host.run(lengthenQueues(kernelCalls(host), pid), { timeoutMs: 10_000 }).catch((error) => {
      if (!(error instanceof CommandError)) throw error;
    });
  }
}

async function addForward(host: Host, spec: MachineSpec, forward: PortForward): Promise<void> {
  const answer = await ask(host, spec, {
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
  throw await portTaken(host, spec.name, forward.hostPort);
}

async function startUplink(host: Host, spec: MachineSpec): Promise<void> {
  await endUplink(host, spec);
  const socket = uplinkSocket(spec);
  const outputFile = machineFiles(host, spec).uplinkLog;
  await host.files.makeFolder(path.dirname(socket), 0o700);
  const cgroup = await makeUplinkCgroup(host, spec);
  const process = await host.processes.start(runUplink(spec, socket, cgroup), {
    outputFile,
    outputLimit: OUTPUT_LIMIT,
  });
  const deadline = host.clock.now() + READY_MS;
  while (!(await answers(host, spec))) {
    if (host.clock.now() > deadline || !host.processes.isSame(process.pid, process.startTime)) {
      throw new UserError(
        "uplink-not-started",
        `the uplink of ${spec.name} (slirp4netns) did not start:\n${outputTail((await host.files.readText(outputFile)) ?? "")}`,
        "read its output; `npx groundplane doctor` checks its requirements",
      );
    }
    await host.clock.sleep(5);
  }
}

/** With the programs that keep the uplink from the host and its networks. */
async function makeUplinkCgroup(host: Host, spec: MachineSpec): Promise<string> {
  const cgroup = await uplinkCgroup(host, spec);
  if (cgroup === undefined) throw new Error(`${spec.name} has no version 2 cgroup`);
  await host.files.makeFolder(cgroup);
  await attach(host, cgroup, uplinkPrograms(host.facts.addresses, spec.uplink?.reachable ?? []));
  return cgroup;
}

const ask = (host: Host, machine: MachineName, question: unknown): Promise<string> =>
  host.sockets.ask(uplinkSocket(machine), JSON.stringify(question));

const answers = (host: Host, machine: MachineName): Promise<boolean> =>
  ask(host, machine, { execute: "list_hostfwd" }).then(
    () => true,
    () => false,
  );

/** Found by its arguments, not by a recorded pid, so that none is lost when the process that started it is killed. */
function uplinkProcesses(host: Host, machine: MachineName): Promise<readonly ProcessIdentity[]> {
  const namespace = namespacePath(machineNamespace(machine));
  return host.processes.find((argv) => argv.includes("slirp4netns") && argv.includes(namespace));
}

const isSameForward = (a: PortForward, b: PortForward): boolean =>
  a.hostPort === b.hostPort && a.guestPort === b.guestPort;
