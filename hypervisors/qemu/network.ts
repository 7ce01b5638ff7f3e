import * as path from "node:path";
import { askSocket } from "../../host/ask-socket";
import { withFileLock } from "../../host/file-lock";
import { exists, listFolder, readIfPresent, removeIfEmpty, removeTree } from "../../host/file-store";
import { makePrivateFolder } from "../../host/private-folder";
import { projectFolder } from "../../host/project-folder";
import { isSameProcess, killProcess, startProcess } from "../../host/start-process";
import { outputTail } from "../../model/commands";
import { UserError } from "../../model/user-error";
import { machinesFolder, segmentsFolder, stackFolders, switchLog } from "./folders";
import { stackRecords } from "./machine-record";
import { controlSocket, runtimeFolder, runtimeRoot } from "./names";
import { SWITCH_PROGRAM, switchProcesses } from "./processes";
import type { Wiring } from "./switch/wiring";

/** A stack's network is one process, its switch, that is told what to serve and keeps nothing itself. */

const READY_MS = 10_000;

export interface NetworkOptions {
  /** Guests reach the host's 127.0.0.1 through the gateway's way out. For tests: it opens what is meant to be closed. */
  readonly hostLoopback: boolean;
}

export const withStackLock = <T>(stack: string, action: () => Promise<T>): Promise<T> =>
  withFileLock(path.join(runtimeFolder(stack), "lock"), action, { timeoutMs: 180_000 });

/** Starts the stack's switch unless it runs, and tells it the segments and ways out that are on record. */
export async function ensureNetwork(stack: string, options: NetworkOptions): Promise<void> {
  await withStackLock(stack, async () => {
    const wiring = await wiringOf(stack, options);
    if (await tell(stack, wiring)) return;
    await endSwitch(stack);
    await makePrivateFolder(runtimeFolder(stack));
    await startSwitch(stack, wiring);
  });
}

export async function isNetworkUp(stack: string): Promise<boolean> {
  return (await switchProcesses(stack)).length > 0;
}

/**
 * After a segment or a machine has gone: the switch lets go of what was theirs. When neither is left, ends the switch and
 * removes what is kept per stack.
 */
export async function shrinkNetwork(stack: string, options: NetworkOptions): Promise<void> {
  await withStackLock(stack, async () => {
    if ((await segmentNames(stack)).length > 0 || (await listFolder(machinesFolder(stack))).length > 0) {
      // One that does not run is started by whoever needs it.
      await tell(stack, await wiringOf(stack, options));
      return;
    }
    await endSwitch(stack);
    await removeTree(switchLog(stack));
    await removeTree(runtimeFolder(stack));
    await removeIfEmpty(runtimeRoot());
    await removeIfEmpty(path.dirname(runtimeRoot()));
    for (const folder of stackFolders(stack)) await removeIfEmpty(folder);
  });
}

export async function segmentNames(stack: string): Promise<readonly string[]> {
  const files = await listFolder(segmentsFolder(stack));
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}

async function wiringOf(stack: string, { hostLoopback }: NetworkOptions): Promise<Wiring> {
  const records = await stackRecords(stack);
  const uplinks = records.filter(({ spec }) => spec.uplink).map(({ spec }) => ({ machine: spec.name, hostLoopback }));
  return { segments: await segmentNames(stack), uplinks };
}

/** Whether the switch has done so; false when none answers. */
async function tell(stack: string, wiring: Wiring): Promise<boolean> {
  const answer = await askSocket(controlSocket(stack), JSON.stringify(wiring)).catch(() => undefined);
  if (answer === undefined || answer === "") return false;
  const { error } = JSON.parse(answer) as { error?: string };
  if (error === undefined) return true;
  throw new UserError(
    "network-not-made",
    `the switch of stack ${stack} cannot do what it is told: ${error}`,
    "look at the folder it names; if somebody else uses it, rename the stack",
  );
}

async function startSwitch(stack: string, wiring: Wiring): Promise<void> {
  const program = path.join(projectFolder(), "dist", SWITCH_PROGRAM);
  if (!(await exists(program))) {
    throw new UserError("switch-missing", `${program} is missing`, "run `npm run build` in the project's folder");
  }
  const folder = runtimeFolder(stack);
  const { pid, startTime } = await startProcess([process.execPath, program, folder], { outputFile: switchLog(stack) });
  const deadline = Date.now() + READY_MS;
  while (!(await tell(stack, wiring))) {
    if (Date.now() > deadline || !isSameProcess(pid, startTime)) {
      throw notStarted(stack, (await readIfPresent(switchLog(stack))) ?? "");
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Also of a switch that does not answer any more; its sockets are stale then. */
async function endSwitch(stack: string): Promise<void> {
  for (const process of await switchProcesses(stack)) await killProcess(process);
  await removeTree(controlSocket(stack));
}

function notStarted(stack: string, output: string): UserError {
  return new UserError(
    "switch-not-started",
    `the switch of stack ${stack} did not start:\n${outputTail(output)}`,
    "look at what it says; the next `up` starts it again",
  );
}
