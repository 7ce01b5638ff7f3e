import * as path from "node:path";
import { outputTail } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { ForeignObjectError, isOwner, OUTPUT_LIMIT, type Owner, type SegmentSpec } from "../hypervisor";
import { removeAllSnapshots } from "../snapshots/snapshot-files";
import { machineFiles, machinesFolder, segmentRecord, segmentsFolder, stackFolders, switchLog } from "./folders";
import { stackRecords } from "./machine-record";
import { controlSocket, runtimeFolder, runtimeRoot } from "./names";
import { SWITCH_PROGRAM, switchProcesses } from "./processes";
import type { Wiring } from "./switch/protocol";

interface SegmentRecord {
  readonly owner: Owner;
}

export async function ensureSegment(
  host: Host,
  spec: SegmentSpec,
  owner: Owner,
  options: NetworkOptions,
): Promise<void> {
  await withStackLock(host, spec.stack, async () => {
    await checkOwner(host, spec, owner);
    await host.files.writeJson(segmentRecord(host, spec.stack, spec.name), { owner } satisfies SegmentRecord);
  });
  await ensureNetwork(host, spec.stack, options);
}

export function inspectSegment(host: Host, spec: SegmentSpec): Promise<SegmentRecord | undefined> {
  return host.files.readJson<SegmentRecord>(segmentRecord(host, spec.stack, spec.name));
}

export async function removeSegment(
  host: Host,
  spec: SegmentSpec,
  owner: Owner,
  options: NetworkOptions,
): Promise<void> {
  await withStackLock(host, spec.stack, async () => {
    await checkOwner(host, spec, owner);
    await host.files.remove(segmentRecord(host, spec.stack, spec.name));
  });
  await shrinkNetwork(host, spec.stack, options);
}

async function checkOwner(host: Host, spec: SegmentSpec, owner: Owner): Promise<SegmentRecord | undefined> {
  const known = await inspectSegment(host, spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
  return known;
}

/** A stack's network is one process, its switch. The driver tells it what to serve; it stores nothing. */

const READY_MS = 10_000;

export interface NetworkOptions {
  /** Lets guests reach the host's 127.0.0.1 through the gateway. Only for tests: it removes a restriction. */
  readonly hostLoopback: boolean;
}

export const withStackLock = <T>(host: Host, stack: string, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(path.join(runtimeFolder(host, stack), "lock"), action, { timeoutMs: 180_000 });

/** Starts the stack's switch unless it runs, and sends it the recorded segments and uplinks. */
export async function ensureNetwork(host: Host, stack: string, options: NetworkOptions): Promise<void> {
  await withStackLock(host, stack, async () => {
    const wiring = await wiringOf(host, stack, options);
    if (await tell(host, stack, wiring)) return;
    await endSwitch(host, stack);
    await host.files.makePrivateFolder(runtimeFolder(host, stack));
    await startSwitch(host, stack, wiring);
  });
}

export async function isNetworkUp(host: Host, stack: string): Promise<boolean> {
  return (await switchProcesses(host, stack)).length > 0;
}

/**
 * Updates the switch after a segment or a machine was removed. When none is left, ends the switch and removes what is kept
 * per stack.
 */
export async function shrinkNetwork(host: Host, stack: string, options: NetworkOptions): Promise<void> {
  await withStackLock(host, stack, async () => {
    if (
      (await segmentNames(host, stack)).length > 0 ||
      (await host.files.list(machinesFolder(host, stack))).length > 0
    ) {
      // A switch that does not run is started when it is needed.
      await tell(host, stack, await wiringOf(host, stack, options));
      return;
    }
    await endSwitch(host, stack);
    await host.files.remove(switchLog(host, stack));
    await host.files.remove(runtimeFolder(host, stack));
    await host.files.removeIfEmpty(runtimeRoot(host));
    await host.files.removeIfEmpty(path.dirname(runtimeRoot(host)));
    await removeAllSnapshots(host, stack);
    for (const folder of stackFolders(host, stack)) await host.files.removeIfEmpty(folder);
  });
}

export async function segmentNames(host: Host, stack: string): Promise<readonly string[]> {
  const files = await host.files.list(segmentsFolder(host, stack));
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}

async function wiringOf(host: Host, stack: string, { hostLoopback }: NetworkOptions): Promise<Wiring> {
  const records = await stackRecords(host, stack);
  const uplinks = records.flatMap(({ spec: { name, uplink } }) =>
    uplink ? [{ machine: name, hostLoopback, reachable: uplink.reachable ?? [] }] : [],
  );
  const consoles = records.map(({ spec }) => machineFiles(host, spec).consoleLog);
  return { segments: await segmentNames(host, stack), uplinks, consoles };
}

/** Returns false when no switch answers. */
async function tell(host: Host, stack: string, wiring: Wiring): Promise<boolean> {
  const answer = await host.sockets.ask(controlSocket(host, stack), JSON.stringify(wiring)).catch(() => undefined);
  if (answer === undefined || answer === "") return false;
  const { error } = JSON.parse(answer) as { error?: string };
  if (error === undefined) return true;
  throw new UserError(
    "network-not-made",
    `the switch of stack ${stack} cannot set up the network: ${error}`,
    "look at the folder it names; if another program uses it, rename the stack",
  );
}

async function startSwitch(host: Host, stack: string, wiring: Wiring): Promise<void> {
  const program = path.join(host.folders.project(), "dist", SWITCH_PROGRAM);
  if (!(await host.files.exists(program))) {
    throw new UserError("switch-missing", `${program} is missing`, "run `npm run build` in the project's folder");
  }
  const folder = runtimeFolder(host, stack);
  const { pid, startTime } = await host.processes.start([host.facts.nodeProgram, program, folder], {
    outputFile: switchLog(host, stack),
    outputLimit: OUTPUT_LIMIT,
  });
  const deadline = host.clock.now() + READY_MS;
  while (!(await tell(host, stack, wiring))) {
    if (host.clock.now() > deadline || !host.processes.isSame(pid, startTime)) {
      throw notStarted(stack, (await host.files.readText(switchLog(host, stack))) ?? "");
    }
    await host.clock.sleep(5);
  }
}

/** Also ends a switch that does not answer; its sockets are stale. */
async function endSwitch(host: Host, stack: string): Promise<void> {
  for (const process of await switchProcesses(host, stack)) await host.processes.kill(process);
  await host.files.remove(controlSocket(host, stack));
}

function notStarted(stack: string, output: string): UserError {
  return new UserError(
    "switch-not-started",
    `the switch of stack ${stack} did not start:\n${outputTail(output)}`,
    "read its output; the next `up` starts it again",
  );
}
