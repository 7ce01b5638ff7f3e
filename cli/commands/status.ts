import { type Command, InvalidArgumentError } from "commander";
import { untilInterrupted } from "../../host/interruption";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { imageNamesOf } from "../../image/checks";
import { forStack } from "../../model/next-step";
import { packageLockFile, packagesIn } from "../../model/package-lock";
import { isClusterNode } from "../../model/roles";
import type { StackOutputs } from "../../model/stack-outputs";
import type { UnfinishedSnapshot } from "../../model/stack-snapshots";
import type { HealthRow } from "../../verify/health/findings";
import { describeUnfinished } from "../../verify/health/health-rows";
import { describeFaults } from "../../verify/interrupted-faults";
import { isHealthy, type MachineStatus, type StackStatus, stackStatus } from "../../verify/stack-status";
import { type Paint, painterFor, plainText, type Style } from "../colours";
import { driverOf } from "../driver";
import { readOutputs } from "../lost-state";
import { type ReportOptions, reportCommand } from "../options";
import { print, table } from "../print";
import { imageWishesOf, readConfiguration, readPlan } from "../project";
import { isDrawn, watch } from "../watch";

interface StatusOptions extends ReportOptions {
  /** Seconds; `true` without a number. */
  readonly watch?: number | true;
}

const WATCH_SECONDS = 5;

export function statusCommand(): Command {
  return reportCommand(
    "status",
    "show the stack's health; exit code 1 when something that is promised is unhealthy or unknown",
  )
    .option("--watch [seconds]", `repeat after so many seconds (default: ${WATCH_SECONDS}) until Ctrl-C`, parseSeconds)
    .addHelpText(
      "after",
      "\nA check without an answer is unknown and counts like an unhealthy one. Checks that are not promised do not change the exit code.",
    )
    .action(async ({ stack, json, watch: watching }: StatusOptions) => {
      const hypervisor = await driverOf(stack);
      const outputs = await readOutputs(stack);
      const how = { screen: process.stdout, isForPrograms: json === true };
      const problemsFirst = watching !== undefined && isDrawn(how);
      const report = async (): Promise<string> => {
        const status = await askForStatus(stack, outputs, hypervisor);
        process.exitCode = isHealthy(status) ? 0 : 1;
        if (json) return JSON.stringify({ ...status, healthy: isHealthy(status) }, null, 2);
        const parts = [renderStatus(status, painterFor(process.stdout), { problemsFirst })];
        const broken = await describeFaults(stack);
        const lock = await packageLockLines(stack, status.machines, hypervisor);
        return [...parts, ...(broken === undefined ? [] : [broken]), ...lock].join("\n\n");
      };
      if (watching === undefined) return print(await report());
      const seconds = watching === true ? WATCH_SECONDS : watching;
      const interruption = new AbortController();
      void untilInterrupted().then(() => interruption.abort());
      await watch({ ...how, seconds, report, signal: interruption.signal });
      // A question that is still on its way must not keep the command.
      process.exit();
    });
}

/**
 * Which machines have the images of the stack's package lock. Nothing without a lock; one that cannot be read is a matter of other
 * commands.
 */
async function packageLockLines(
  stack: string,
  machines: readonly MachineStatus[],
  { name }: Hypervisor,
): Promise<readonly string[]> {
  const wishes = await readConfiguration(stack)
    .then(imageWishesOf)
    .catch(() => undefined);
  if (wishes?.packageLock === undefined) return [];
  try {
    return [renderPackageLock(stack, packagesIn(wishes.packageLock).length, machines, imageNamesOf(name, wishes))];
  } catch (error) {
    return [(error as Error).message];
  }
}

export function renderPackageLock(
  stack: string,
  packages: number,
  machines: readonly Pick<MachineStatus, "name" | "image">[],
  planned: readonly string[],
): string {
  const others = machines.filter(({ image }) => image !== undefined && !planned.includes(image));
  const first = `${packageLockFile(stack)} pins ${packages} packages`;
  if (others.length === 0) return `${first}; all machines have its images`;
  const names = others.map((machine) => `${machine.name} (${machine.image})`).join(", ");
  return forStack(
    `${first}; machines with other images: ${names}; \`npx groundplane preview\` shows what follows`,
    stack,
  );
}

/** A stack file that is missing or wrong leaves only the rows that need it without an answer. */
export async function askForStatus(stack: string, outputs: StackOutputs, hypervisor: Hypervisor): Promise<StackStatus> {
  const plan = await readPlan(stack).catch((error: Error) => ({ reason: error.message.split("\n")[0] ?? "" }));
  return stackStatus(stack, outputs, hypervisor, plan);
}

const styleOf: Readonly<Record<HealthRow["state"], Style>> = {
  healthy: "good",
  unhealthy: "bad",
  unknown: "warning",
  inapplicable: "aside",
};

interface Layout {
  /** A screen may have no room for all of it, and what is healthy matters least. */
  readonly problemsFirst: boolean;
}

export function renderStatus(status: StackStatus, paint: Paint = plainText, layout?: Layout): string {
  const { stack, driver, api, unfinished, machines, checks } = status;
  const head = ["NODE", "ADDRESS", "POWER", "SERVICES", "KUBERNETES"];
  const rows = machines.map((machine) => [
    machine.name,
    machine.address,
    machine.power,
    machine.ready ? paint("good", "ready") : paint("bad", firstLine(machine.reason)),
    kubernetesOf(machine),
  ]);
  const answer = api.ready ? "answers" : `does not answer: ${api.reason}`;
  const health = checks.filter(({ state }) => state !== "inapplicable");
  const problems = health.filter(({ state }) => state !== "healthy").map((row) => renderProblem(row, paint));
  const tables = [
    table([head, ...rows]),
    table([
      ["CHECK", "STATE", "OBSERVED"],
      ...health.map(({ check, state, summary }) => [check, paint(styleOf[state], state), summary]),
    ]),
  ];
  const parts = [
    `${paint("heading", stack)} on ${driver}; API ${api.endpoint} ${paint(api.ready ? "good" : "bad", answer)}`,
    ...(unfinished ? [renderUnfinished(unfinished)] : []),
    ...(layout?.problemsFirst ? [...problems, ...tables] : [...tables, ...problems]),
  ];
  return parts.join("\n\n");
}

/** Machines that stand still respond to nothing, so most rows have no other reason. */
function renderUnfinished(unfinished: UnfinishedSnapshot): string {
  const { change, isInterrupted } = unfinished;
  const until = { creation: "all machines stand still until their disks are saved", restore: "machines have no power" };
  const next = "`npx groundplane start` ends it and starts all machines";
  return `${describeUnfinished(unfinished)}: ${isInterrupted ? next : until[change]}`;
}

/** What the row means and what to do. A row without an answer shows only who was asked. */
function renderProblem({ check, state, summary, asks, means, next, promised }: HealthRow, paint: Paint): string {
  const note = promised ? "" : " (not promised: no effect on the exit code)";
  const first = `${check} is ${paint(styleOf[state], state)}${note}: ${summary}`;
  if (state === "unknown") return `${first}\n  asked: ${asks}`;
  return `${first}\n  meaning: ${means}\n  next step: ${next}`;
}

function kubernetesOf({ kubernetes, roles }: MachineStatus): string {
  if (kubernetes) return `${kubernetes.ready ? "Ready" : "not Ready"} ${kubernetes.version}`;
  return isClusterNode(roles) ? "unknown" : "";
}

const firstLine = (text: string): string => text.split("\n")[0] ?? "";

function parseSeconds(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("must be a whole number of seconds.");
  return Number(text);
}
