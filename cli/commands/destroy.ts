import type { Command } from "commander";
import { askOnTerminal, canAsk } from "../../host/ask-on-terminal";
import { disksFolder, stackFolder } from "../../host/data-folder";
import { DISMANTLING_VARIABLE, KEEP_DISKS_VARIABLE } from "../../host/dismantling-mark";
import { listFolder, removeTree } from "../../host/file-store";
import { UserError } from "../../model/user-error";
import { removeStaleLocks } from "../../toolchain/run-pulumi/prepare-stack";
import { isKnownToPulumi, runPulumi } from "../../toolchain/run-pulumi/pulumi-command";
import { driverOf } from "../driver";
import { type StackOptions, stackCommand } from "../options";
import { say } from "../print";
import { readConfiguration } from "../project";

export function destroyCommand(): Command {
  return stackCommand("destroy", "remove the whole stack; data disks are kept unless its configuration says otherwise")
    .option("-y, --yes", "do not ask")
    .action(async ({ stack, yes }: StackOptions & { readonly yes?: boolean }) => {
      if (!yes && !(await agreed(stack))) {
        say("no changes");
        process.exitCode = 1;
        return;
      }
      process.exitCode = await destroyStack(stack);
    });
}

/** Asks on a terminal. Fails without one, instead of waiting for an answer. */
async function agreed(stack: string): Promise<boolean> {
  if (!canAsk()) {
    throw new UserError(
      "not-agreed",
      `destroying ${stack} needs a confirmation, and there is no terminal`,
      "add --yes to confirm",
    );
  }
  const what = (await deletesDisks(stack)) ? `all machines of ${stack} and its data disks` : `all machines of ${stack}`;
  return (await askOnTerminal(`Destroy ${what}? Type the stack's name to confirm: `)) === stack;
}

/** Returns the exit code. May run again, also after it was killed, and on a stack that never existed. */
async function destroyStack(stack: string): Promise<number> {
  const isKnown = await isKnownToPulumi(stack);
  if (isKnown) {
    await removeStaleLocks(stack);
    const env = {
      [DISMANTLING_VARIABLE]: stack,
      ...((await deletesDisks(stack)) ? {} : { [KEEP_DISKS_VARIABLE]: stack }),
    };
    if ((await runPulumi(stack, ["destroy", "--yes", "--skip-preview"], { env, progress: say })) !== 0) return 1;
  }
  const hypervisor = await driverOf(stack);
  const left = await hypervisor.listMachines(stack);
  if (left.length > 0) {
    const names = left.map(({ name }) => name).join(", ");
    throw new UserError(
      "machines-left",
      `these machines of ${stack} remain on this host: ${names}`,
      `see \`npx groundplane status --stack ${stack}\``,
    );
  }
  // Keys, kubeconfig and logs are useless without their machines.
  await removeTree(stackFolder(stack));
  say(isKnown ? `${stack} is destroyed` : `${stack} is not up; no changes`);
  if ((await listFolder(disksFolder(stack))).length > 0) say(`its data disks are kept in ${disksFolder(stack)}`);
  return 0;
}

/** Data are deleted only if the stack's file and its state, the record of the last `up`, both say so. */
async function deletesDisks(stack: string): Promise<boolean> {
  const configuration = await readConfiguration(stack).catch(() => undefined);
  return configuration?.options.keepDataDisks === false;
}
