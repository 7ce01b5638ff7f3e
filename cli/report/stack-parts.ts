import * as path from "node:path";
import { writeSshFiles } from "../../guests/ssh-files";
import { stackFolder } from "../../host/data-folder";
import { listFolder, readIfPresent, stampFile } from "../../host/file-store";
import { fileTrees } from "../../host/file-trees";
import { projectFolder, stackFile } from "../../host/project-folder";
import { runCommand } from "../../host/run-command";
import { guestPaths } from "../../model/guest-paths";
import type { StackOutputs } from "../../model/stack-outputs";
import { UserError } from "../../model/user-error";
import { askPulumi } from "../../toolchain/run-pulumi/pulumi-command";
import { isHealthy } from "../../verify/stack-status";
import { examine } from "../commands/doctor";
import { askForStatus } from "../commands/status";
import { driverOf } from "../driver";
import { readOutputs } from "../lost-state";
import { readPlan } from "../project";
import { LOG_BYTES, type ReportPart, tail } from "./collect";
import { versions } from "./versions";

const HISTORY_ENTRIES = 20;
const JOURNAL_LINES = 3000;
/** A machine that is down must not hold up the others. */
const NODE_MS = 45_000;

/** The parts of every report. */
export const commonParts = (stack: string): readonly ReportPart[] => [
  { file: "versions.json", read: versions },
  { file: `configuration/${path.basename(stackFile(stack))}`, read: () => configuration(stack) },
  { file: "plan.json", read: () => readPlan(stack) },
  { file: "doctor.json", read: () => examine(stack) },
  { file: "status.json", read: () => status(stack) },
  { file: "machines.json", read: async () => (await driverOf(stack)).listObjects(stack) },
  { file: "pulumi/history.json", read: () => history(stack) },
  { file: "pulumi/resources.json", read: () => resources(stack) },
];

async function configuration(stack: string): Promise<string> {
  const file = path.join(projectFolder(), stackFile(stack));
  const text = await readIfPresent(file);
  if (text === undefined) throw new UserError("no-stack-file", `there is no ${stackFile(stack)}`, "create it");
  return text;
}

async function status(stack: string): Promise<unknown> {
  const hypervisor = await driverOf(stack);
  const answer = await askForStatus(stack, await readOutputs(stack), hypervisor);
  return { ...answer, healthy: isHealthy(answer) };
}

interface Update {
  readonly environment?: Readonly<Record<string, string>>;
}

/** Without the author of the commit, and without the session's variables. */
async function history(stack: string): Promise<unknown> {
  const page = ["--page", "1", "--page-size", String(HISTORY_ENTRIES)];
  const text = await askPulumi(stack, ["stack", "history", "--json", ...page, "--stack", stack]);
  const kept = ["pulumi.version", "git.head", "git.dirty"];
  return (JSON.parse(text) as readonly Update[]).map(({ environment = {}, ...update }) => ({
    ...update,
    environment: Object.fromEntries(kept.map((name) => [name, environment[name]])),
  }));
}

interface ExportedState {
  readonly deployment: {
    readonly resources?: readonly Readonly<Record<string, unknown>>[];
    readonly pending_operations?: readonly { readonly type: string; readonly resource: { readonly urn: string } }[];
  };
}

/** What Pulumi has a state of, without inputs and outputs. */
async function resources(stack: string): Promise<unknown> {
  const { deployment } = JSON.parse(await askPulumi(stack, ["stack", "export", "--stack", stack])) as ExportedState;
  const shown = ["urn", "id", "dependencies", "created", "modified", "delete", "initErrors"];
  return {
    resources: deployment.resources?.map((each) => Object.fromEntries(shown.map((name) => [name, each[name]]))),
    pendingOperations: deployment.pending_operations?.map(({ type, resource }) => ({ type, urn: resource.urn })),
  };
}

/** Logs on this host: of the last `up`, and what machines and their programs have printed. */
export async function hostLogs(stack: string): Promise<readonly ReportPart[]> {
  const folder = stackFolder(stack);
  const files = await logsBelow(folder, "", LOG_DEPTH);
  return files.map((file) => ({ file: `logs/host/${file}`, read: () => endOf(path.join(folder, file)) }));
}

/** `<driver>/machines/<machine>/<log>`; deeper are the files of guests. */
const LOG_DEPTH = 3;

async function logsBelow(folder: string, below: string, depth: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await listFolder(path.join(folder, below))) {
    const entry = await fileTrees.entry(path.join(folder, below, name));
    const file = path.join(below, name);
    if (entry?.kind === "file" && /\.log(?:\.\w+)?$/.test(name)) found.push(file);
    if (entry?.kind === "folder" && depth > 0) found.push(...(await logsBelow(folder, file, depth - 1)));
  }
  return found;
}

async function endOf(file: string): Promise<string> {
  const { bytes } = (await stampFile(file)) ?? { bytes: 0 };
  const stream = fileTrees.openRead(file) as unknown as AsyncIterable<Buffer>;
  // Logs on this host have limits of some MiB.
  if (bytes > 64 * 2 ** 20) throw new Error(`it has ${bytes} bytes`);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return tail(Buffer.concat(chunks).toString("utf8"));
}

/**
 * The cluster's events, the console of each machine, where the driver records it elsewhere, and the end of its journal since
 * its boot.
 * @returns parts that cannot be read for a stack without outputs
 */
export async function nodeParts(stack: string): Promise<readonly ReportPart[]> {
  const outputs = await readOutputs(stack).catch((error: Error) => error);
  if (outputs instanceof Error)
    return [EVENTS, "logs/nodes"].map((file) => ({ file, read: () => Promise.reject(outputs) }));
  const { config } = await writeSshFiles(stack, outputs);
  const masters = outputs.inventory
    .filter(({ role, roles = [role] }) => roles.includes("master"))
    .map(({ name }) => name);
  return [{ file: EVENTS, read: () => readEvents(config, masters) }, ...(await nodeLogs(stack, outputs, config))];
}

const EVENTS = "cluster/events.txt";

/** Events of all namespaces, which Kubernetes keeps for an hour. Any master has them all. */
async function readEvents(config: string, masters: readonly string[]): Promise<string> {
  const [first, ...others] = masters;
  if (first === undefined) throw new Error("the stack has no master");
  const kubectl = `kubectl --kubeconfig ${guestPaths.adminKubeconfig}`;
  const command = `${kubectl} get events --all-namespaces --sort-by=.lastTimestamp`;
  try {
    return tail(await askNode(config, first, command));
  } catch (error) {
    if (others.length === 0) throw error;
    return readEvents(config, others);
  }
}

async function askNode(config: string, node: string, command: string): Promise<string> {
  const argv = ["ssh", "-F", config, "-o", "BatchMode=yes", node, "--", command];
  return (await runCommand(argv, { timeoutMs: NODE_MS })).stdout;
}

async function nodeLogs(stack: string, outputs: StackOutputs, config: string): Promise<readonly ReportPart[]> {
  const consolePath = (await driverOf(stack)).consoleLog?.consoleLogPath;
  const journal = ["journalctl", "--boot", "--no-pager", "--lines", String(JOURNAL_LINES)].join(" ");
  return outputs.inventory.flatMap(({ name }): readonly ReportPart[] => {
    const console = consolePath?.({ stack, name });
    const isElsewhere = console !== undefined && path.relative(stackFolder(stack), console).startsWith("..");
    const read = async (): Promise<string> => tail(await askNode(config, name, journal), 2 * LOG_BYTES);
    return [
      { file: `logs/nodes/${name}/journal.txt`, read },
      ...(isElsewhere ? [{ file: `logs/nodes/${name}/console.txt`, read: () => endOf(console) }] : []),
    ];
  });
}
