import type { Hypervisor } from "../../hypervisors/hypervisor";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";

/** Removes a stack through the driver alone, everything in parallel, and returns the seconds: the limit for `destroy`. */
export async function removeBare(driver: Hypervisor, { stack, nodes, segments }: DataCenterPlan): Promise<number> {
  const machines = await Promise.all(nodes.map(({ name }) => driver.inspectMachine({ stack, name })));
  const [first] = machines;
  if (first === undefined) throw new Error(`${stack} has no machines`);
  const started = performance.now();
  await Promise.all(
    machines.map(async (machine) => {
      if (machine) await driver.removeMachine({ stack, name: machine.spec.name }, machine.owner);
    }),
  );
  await Promise.all(
    segments.map(async ({ name }) => {
      const segment = await driver.inspectSegment({ stack, name });
      if (segment) await driver.removeSegment({ stack, name }, segment.owner);
    }),
  );
  return (performance.now() - started) / 1000;
}
