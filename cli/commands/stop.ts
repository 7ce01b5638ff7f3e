import type { Command } from "commander";
import { shutdownMs } from "../../model/hypervisor-objects";
import { stopOrder } from "../../stacks/plan/stop-order";
import { driverOf } from "../driver";
import { type StackOptions, stackCommand } from "../options";
import { say } from "../print";
import { readPlan } from "../project";

export function stopCommand(): Command {
  return stackCommand("stop", "shut every machine down, in order; `start` or `pulumi up` starts them again").action(
    async ({ stack }: StackOptions) => {
      const hypervisor = await driverOf(stack);
      const present = new Set((await hypervisor.listMachines(stack)).map(({ name }) => name));
      if (present.size === 0) return say(`${stack} has no machines; no changes`);
      const plan = await readPlan(stack);
      const deadlineOf = (name: string): number => shutdownMs(plan.nodes.find((node) => node.name === name) ?? {});
      for (const names of stopOrder(plan, present)) {
        say(`stopping ${names.join(", ")}`);
        await Promise.all(names.map((name) => hypervisor.stopMachine({ stack, name }, deadlineOf(name))));
      }
      say(`${stack} is stopped; \`npx groundplane start --stack ${stack}\` starts it again with its data`);
    },
  );
}
