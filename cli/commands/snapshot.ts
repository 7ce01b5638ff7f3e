import { createHash } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { closeGuests } from "../../guests/guest-ssh";
import { askOnTerminal, canAsk } from "../../host/ask-on-terminal";
import { forgetFollowedHostKeys } from "../../host/followed-host-keys";
import { interruptibly } from "../../host/interruption";
import type { Hypervisor, Snapshots } from "../../hypervisors/hypervisor";
import { isObjectName, objectNameRule } from "../../model/object-names";
import type { SnapshotState } from "../../model/stack-snapshots";
import { UserError } from "../../model/user-error";
import { stacksInWork } from "../../toolchain/run-pulumi/local-states";
import { driverOf } from "../driver";
import { readOutputs } from "../lost-state";
import { type ReportOptions, reportCommand } from "../options";
import { formatBytes, print, printJson, say, table } from "../print";
import { configurationText } from "../project";
import { presentKeyDigests, refuseOtherKeys, withKeys, withoutKeys } from "../snapshot-keys";
import { untilNodesReady } from "../until-nodes-ready";

interface ChangeOptions extends ReportOptions {
  readonly yes?: boolean;
}

export function snapshotCommand(): Command {
  const command = new Command("snapshot").description(
    "save the disks of all machines of a stack at one instant, and put them back: to try a risky change",
  );
  for (const create of [createCommand, listCommand, restoreCommand, deleteCommand]) command.addCommand(create());
  return command;
}

const createCommand = (): Command =>
  named("create <name>", "pause all machines, save their disks and data disks, and resume them")
    .addHelpText(
      "after",
      "\nA snapshot has no memory: a restored machine boots as after a power cut. It is only for the machines that exist now, and" +
        "\nends with the stack: it is no backup. It contains secrets, and only this user can read it.",
    )
    .action((name: string, options: ReportOptions) => create(name, options));

const listCommand = (): Command =>
  reportCommand("list", "show the snapshots of a stack with their sizes, and whether they can be restored").action(
    async ({ stack, json }: ReportOptions) => {
      const snapshots = snapshotsOf(await driverOf(stack));
      const interrupted = await snapshots.interruptedRestore({ stack });
      if (interrupted !== undefined)
        say(
          `the restore of ${interrupted} was interrupted; complete it: npx groundplane snapshot restore ${interrupted} --stack ${stack}`,
        );
      const listed = await snapshots.listSnapshots(stack);
      const keys = listed.some((snapshot) => snapshot.keys) ? await presentKeyDigests(stack) : undefined;
      const found = listed.map((snapshot) => withKeys(snapshot, keys));
      if (json) printJson(found.map(withoutKeys));
      else print(found.length > 0 ? renderSnapshots(found) : `${stack} has no snapshots`);
    },
  );

const restoreCommand = (): Command =>
  named("restore <name>", "cut the power of all machines, put their disks back, and start them")
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      "\nEverything that was written after the snapshot is lost, also on volumes. Pulumi's state and the stack's file stay: what was" +
        "\nchanged there since is applied again by `npx groundplane start`. An interrupted restore is completed by the same command or by `npx groundplane start`.",
    )
    .action((name: string, options: ChangeOptions) => restore(name, options).finally(closeGuests));

const deleteCommand = (): Command =>
  named("delete <name>", "remove a snapshot; the machines do not change")
    .option("-y, --yes", "do not ask")
    .action((name: string, options: ChangeOptions) => remove(name, options));

/** A command about one snapshot. */
function named(nameAndArgument: string, description: string): Command {
  const [name = "", argument = ""] = nameAndArgument.split(" ");
  return reportCommand(name, description).argument(argument, "name of the snapshot", parseName);
}

/** It becomes part of paths and of names in disks. */
function parseName(text: string): string {
  if (!isObjectName(text)) throw new InvalidArgumentError(objectNameRule);
  return text;
}

async function create(name: string, { stack, json }: ReportOptions): Promise<void> {
  const snapshots = snapshotsOf(await driverOf(stack));
  await refuseDuringUp(stack);
  const started = performance.now();
  const configuration = await digestOfConfiguration(stack);
  const keys = await presentKeyDigests(stack);
  const made = await interruptibly("the snapshot", (signal) =>
    snapshots.createSnapshot({ stack, name }, { configuration, ...(keys && { keys }), signal, progress: say }),
  ).catch((error: unknown) => {
    if (!(error instanceof UserError) || error.id !== "interrupted") throw error;
    throw new UserError(
      error.id,
      "the snapshot was interrupted: all machines run, and nothing of it remains",
      "run the same command again",
    );
  });
  if (json) return printJson(withoutKeys(made));
  const paused = (made.pausedMs / 1000).toFixed(1);
  print(
    `${name}: ${made.machines.length} machines of ${stack}, ${formatBytes(made.bytes)} on disk; they stood still for ${paused} s, total ${secondsSince(started)} s`,
  );
}

async function restore(name: string, { stack, json, yes }: ChangeOptions): Promise<void> {
  const hypervisor = await driverOf(stack);
  const snapshots = snapshotsOf(hypervisor);
  await refuseDuringUp(stack);
  // Without one of the name, the driver lists the others.
  const known = (await snapshots.listSnapshots(stack)).find((each) => each.name === name);
  if (known?.keys) refuseOtherKeys(known, await presentKeyDigests(stack));
  const question =
    known && `put the disks of all machines of ${stack} back to ${known.created}, and lose what was written since`;
  if (question && !known.obstacle && !(await agreed(question, { stack, yes }))) return refused();
  const started = performance.now();
  // One that is refused changes no disk.
  if (known && !known.obstacle) await forgetFollowedHostKeys(stack, known.created);
  // While the disks are copied, which leaves a processor idle; an answer is needed only afterwards.
  const outputs = readOutputs(stack).catch(() => undefined);
  const restored = await interruptibly("the restore", (signal) =>
    snapshots.restoreSnapshot({ stack, name }, { signal, progress: say }),
  );
  const startedAfter = secondsSince(started);
  say(`all machines started after ${startedAfter} s; waiting for the nodes`);
  const reason = await untilNodesReady(await outputs, hypervisor);
  if (restored.configuration !== undefined && restored.configuration !== (await digestOfConfiguration(stack)))
    say(`the stack's file has changed since the snapshot: npx groundplane start --stack ${stack} applies it again`);
  const seconds = Number(secondsSince(started));
  if (json)
    printJson({ ...withoutKeys(restored), startedAfter: Number(startedAfter), seconds, ready: reason === undefined });
  else print(`${stack} is restored to ${name} of ${restored.created}; it took ${seconds.toFixed(1)} s`);
  if (reason === undefined) return;
  say(`not ready yet: ${reason}; npx groundplane status --stack ${stack} shows the rest`);
  process.exitCode = 1;
}

async function remove(name: string, { stack, json, yes }: ChangeOptions): Promise<void> {
  const snapshots = snapshotsOf(await driverOf(stack));
  const known = (await snapshots.listSnapshots(stack)).find((each) => each.name === name);
  if (known && !(await agreed(`delete the snapshot ${name} of ${stack}, ${known.created}`, { stack, yes })))
    return refused();
  await interruptibly("the deletion", () => snapshots.deleteSnapshot({ stack, name }));
  if (json) printJson(known && withoutKeys(known));
  else print(`${name} of ${stack} is deleted${known ? ` (${formatBytes(known.bytes)})` : ""}`);
}

/** Asks on a terminal. Fails without one, instead of waiting for an answer. */
async function agreed(what: string, { stack, yes }: Pick<ChangeOptions, "stack" | "yes">): Promise<boolean> {
  if (yes) return true;
  if (canAsk()) return (await askOnTerminal(`${capitalized(what)}? Type the stack's name to confirm: `)) === stack;
  throw new UserError(
    "not-agreed",
    `to ${what} needs a confirmation, and there is no terminal`,
    "add --yes to confirm",
  );
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function refused(): void {
  say("no changes");
  process.exitCode = 1;
}

function snapshotsOf(hypervisor: Hypervisor): Snapshots {
  if (hypervisor.snapshots) return hypervisor.snapshots;
  throw new UserError("no-snapshots", `the driver ${hypervisor.name} has no snapshots`, "use another driver");
}

/** An `up` changes machines one after the other, and would start those that are paused. */
async function refuseDuringUp(stack: string): Promise<void> {
  if (!(await stacksInWork()).includes(stack)) return;
  throw new UserError("stack-in-work", `Pulumi works on ${stack}`, "wait until it has finished, then try again");
}

async function digestOfConfiguration(stack: string): Promise<string> {
  return createHash("sha256")
    .update(await configurationText(stack))
    .digest("hex");
}

const secondsSince = (started: number): string => ((performance.now() - started) / 1000).toFixed(1);

export const renderSnapshots = (snapshots: readonly SnapshotState[]): string =>
  table([
    ["NAME", "CREATED", "SIZE", "MACHINES", "RESTORABLE"],
    ...snapshots.map(({ name, created, bytes, machines, obstacle }) => [
      ...[name, created.replace(/\.\d+Z$/, "Z"), formatBytes(bytes), String(machines.length)],
      obstacle === undefined ? "yes" : `no: ${obstacle}`,
    ]),
  ]);
