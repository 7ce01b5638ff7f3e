import type { Command } from "commander";
import { stopOrder } from "../../stacks/plan/stop-order";
import { driverOf } from "../driver";
import { type StackOptions, stackCommand } from "../options";
import { say } from "../print";
import { readPlan } from "../project";

const ORDERLY_MS = 60_000;

export function stopCommand(): Command {
  return stackCommand("stop", "shut every machine down, in order; `start` or `pulumi up` starts them again").action(
    async ({ stack }: StackOptions) => {
      const hypervisor = await driverOf(stack);
      const present = new Set((await hypervisor.listMachines(stack)).map(({ name }) => name));
      if (present.size === 0) return say(`${stack} has no machines; no changes`);
      for (const names of stopOrder(await readPlan(stack), present)) {
        say(`stopping ${names.join(", ")}`);
        await Promise.all(names.map((name) => hypervisor.stopMachine({ stack, name }, ORDERLY_MS)));
      }
      say(`${stack} is stopped; \`npx groundplane start --stack ${stack}\` starts it again with its data`);
    },
  );
}
