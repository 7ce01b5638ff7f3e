import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { stackFolder } from "../../host/data-folder";
import { markDismantling } from "../../host/dismantling-mark";
import { removeTree } from "../../host/file-store";
import { UserError } from "../../model/user-error";
import { isKnownToPulumi, runPulumi } from "../../toolchain/run-pulumi/pulumi-command";
import { removeStaleLocks } from "../../toolchain/stale-locks";
import { driverOf } from "../driver";
import { type StackOptions, stackCommand } from "../options";
import { say } from "../print";

export function destroyCommand(): Command {
  return stackCommand(
    "destroy",
    "take the whole stack down; data disks are kept unless its configuration says otherwise",
  )
    .option("-y, --yes", "do not ask")
    .action(async ({ stack, yes }: StackOptions & { readonly yes?: boolean }) => {
      if (!yes && !(await agreed(stack))) {
        say("nothing was changed");
        process.exitCode = 1;
        return;
      }
      process.exitCode = await destroyStack(stack);
    });
}

/** Asks on a terminal; nothing ever waits for an answer that cannot come. */
async function agreed(stack: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UserError("not-agreed", `nobody is there to agree to the end of ${stack}`, "add --yes if it is meant");
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Take down every machine of ${stack}? Type its name: `);
    return answer.trim() === stack;
  } finally {
    terminal.close();
  }
}

/** Returns the exit code. May be run again, also after it was killed, and on a stack that never was. */
async function destroyStack(stack: string): Promise<number> {
  const isKnown = await isKnownToPulumi(stack);
  if (isKnown) {
    await removeStaleLocks(stack);
    // A stack whose first `up` failed has no Dismantling in its state that would say so.
    await markDismantling(stack);
    if ((await runPulumi(stack, ["destroy", "--yes", "--skip-preview"], say)) !== 0) return 1;
  }
  const hypervisor = await driverOf(stack);
  const left = await hypervisor.listMachines(stack);
  if (left.length > 0) {
    const names = left.map(({ name }) => name).join(", ");
    throw new UserError(
      "machines-left",
      `machines of ${stack} are left on this host: ${names}`,
      `look at \`npx groundplane status --stack ${stack}\``,
    );
  }
  // Keys, kubeconfig and logs are worth nothing without their machines.
  await removeTree(stackFolder(stack));
  say(isKnown ? `${stack} is gone` : `${stack} is not up: nothing was to be done`);
  return 0;
}
