import { type Command, Option } from "commander";
import { askOnTerminal, canAsk } from "../../host/ask-on-terminal";
import { removeBootUnit } from "../../host/boot-units";
import { disksFolder, stackFolder } from "../../host/data-folder";
import { DISMANTLING_VARIABLE, KEEP_DISKS_VARIABLE } from "../../host/dismantling-mark";
import { listFolder, removeTree } from "../../host/file-store";
import type { StackObject } from "../../hypervisors/hypervisor";
import { UserError } from "../../model/user-error";
import { isStateEmpty, removeStaleLocks } from "../../toolchain/run-pulumi/prepare-stack";
import { isInBackend, isKnownToPulumi, runPulumi } from "../../toolchain/run-pulumi/pulumi-command";
import { driverOf } from "../driver";
import { forgetInKubeconfig } from "../kubeconfig/user-kubeconfig";
import { describeObjects, removeObjects, withoutDisks } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";
import { say } from "../print";
import { readConfiguration } from "../project";

interface DestroyOptions extends StackOptions {
  readonly yes?: boolean;
  readonly lostState?: boolean;
  readonly deleteDataDisks?: boolean;
}

export function destroyCommand(): Command {
  return stackCommand("destroy", "remove the whole stack; data disks are kept unless its configuration says otherwise")
    .option("-y, --yes", "do not ask")
    .option("--lost-state", "also remove what Pulumi has no state of, by the marks on the machines; data disks stay")
    .addOption(
      new Option("--delete-data-disks", "delete the data disks, too; only for a stack whose state is lost").implies({
        lostState: true,
      }),
    )
    .action(async (options: DestroyOptions) => {
      if (!options.yes && !(await agreed(options))) {
        say("no changes");
        process.exitCode = 1;
        return;
      }
      process.exitCode = await destroyStack(options);
    });
}

/** Asks on a terminal. Fails without one, instead of waiting for an answer. */
async function agreed({ stack, ...options }: DestroyOptions): Promise<boolean> {
  const saved = listed(await snapshotNames(stack));
  const all = `all machines of ${stack}${saved}${(await deletesDisks(stack)) ? " and its data disks" : ""}`;
  const what = options.lostState ? await describeLeft({ stack, ...options }) : all;
  if (!canAsk()) {
    const named = options.lostState ? ` (${what})` : "";
    throw new UserError(
      "not-agreed",
      `destroying ${stack}${named} needs a confirmation, and there is no terminal`,
      "add --yes to confirm",
    );
  }
  return (await askOnTerminal(`Destroy ${what}? Type the stack's name to confirm: `)) === stack;
}

/** Snapshots fit only the machines that are removed. */
async function snapshotNames(stack: string): Promise<readonly string[]> {
  const found = await (await driverOf(stack)).snapshots?.listSnapshots(stack);
  return (found ?? []).map(({ name }) => name);
}

const listed = (snapshots: readonly string[]): string =>
  snapshots.length > 0 ? `, its snapshots (${snapshots.join(", ")})` : "";

/** Names what is removed without a state, and the data disks that stay. */
async function describeLeft({ stack, deleteDataDisks }: DestroyOptions): Promise<string> {
  const objects = await (await driverOf(stack)).listObjects(stack);
  const removed = deleteDataDisks ? objects : withoutDisks(objects);
  const kept = objects.filter((object) => !removed.includes(object));
  const keeping = kept.length > 0 ? `, and keep ${describeObjects(kept)}` : "";
  return removed.length > 0 ? `${describeObjects(removed)} of ${stack}${keeping}` : `all machines of ${stack}`;
}

/** Returns the exit code. May run again, also after it was killed, and on a stack that never existed. */
async function destroyStack(options: DestroyOptions): Promise<number> {
  const { stack } = options;
  const snapshots = await snapshotNames(stack);
  const isKnown = (await isKnownToPulumi(stack)) && !(options.lostState && !(await isInBackend(stack)));
  if (options.deleteDataDisks && isKnown && !(await isStateEmpty(stack))) throw stateDecides(stack);
  // First: an interrupted destroy must not be followed by a start at the next boot.
  if (await removeBootUnit(stack)) say(`${stack} is no longer started at boot`);
  if (isKnown) {
    await removeStaleLocks(stack);
    const env = {
      [DISMANTLING_VARIABLE]: stack,
      ...((await deletesDisks(stack)) ? {} : { [KEEP_DISKS_VARIABLE]: stack }),
    };
    if ((await runPulumi(stack, ["destroy", "--yes", "--skip-preview"], { env, progress: say })) !== 0) return 1;
  }
  const isLeft = await removeLeft(options);
  // Keys, kubeconfig and logs are useless without their machines.
  await removeTree(stackFolder(stack));
  for (const line of await forgetInKubeconfig(stack)) say(line);
  if (snapshots.length > 0) say(`its snapshots are removed with the machines: ${snapshots.join(", ")}`);
  say(isKnown || isLeft ? `${stack} is destroyed` : `${stack} is not up; no changes`);
  if ((await listFolder(disksFolder(stack))).length > 0) say(`its data disks are kept in ${disksFolder(stack)}`);
  return 0;
}

/**
 * Removes what Pulumi has no state of, if the user wants that. Returns whether there was something.
 * @throws UserError `machines-left`
 */
async function removeLeft({ stack, lostState, deleteDataDisks }: DestroyOptions): Promise<boolean> {
  const hypervisor = await driverOf(stack);
  const objects = await hypervisor.listObjects(stack);
  const left: readonly StackObject[] = deleteDataDisks ? objects : withoutDisks(objects);
  if (left.length > 0 && !lostState) {
    throw new UserError(
      "machines-left",
      `Pulumi has no state of these objects of ${stack}, which remain on this host: ${describeObjects(left)}`,
      "`npx groundplane destroy --lost-state` removes them; if another backend has their state, log in to it instead",
    );
  }
  if (left.length > 0) say(`removing what Pulumi has no state of: ${describeObjects(left)}`);
  await removeObjects(hypervisor, stack, left, say);
  return left.length > 0;
}

const stateDecides = (stack: string): UserError =>
  new UserError(
    "state-decides",
    `${stack} has a state, which decides about its data disks; no changes`,
    "set `options: {keepDataDisks: false}` in the stack's file and run `npx groundplane start`, then `npx groundplane destroy`",
  );

/** Data are deleted only if the stack's file and its state, the record of the last `up`, both say so. */
async function deletesDisks(stack: string): Promise<boolean> {
  const configuration = await readConfiguration(stack).catch(() => undefined);
  return configuration?.options.keepDataDisks === false;
}
