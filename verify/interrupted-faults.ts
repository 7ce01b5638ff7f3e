import { clearFaults, markedFaults } from "../host/fault-mark";
import type { Hypervisor } from "../hypervisors/hypervisor";
import { forStack } from "../model/next-step";
import { UserError } from "../model/user-error";
import { withFaultLock } from "./fault-lock";

/**
 * What was broken by a process that was killed before it could put it back. Machines that are off are started by every `up`; links are
 * no part of Pulumi's state.
 */

/** Connects the links of all machines that run. */
export async function connectLinks(stack: string, hypervisor: Hypervisor): Promise<void> {
  for (const { kind, name } of await hypervisor.listObjects(stack)) {
    if (kind !== "machine") continue;
    const power = (await hypervisor.inspectMachine({ stack, name }))?.power;
    if (power === "running") await hypervisor.links?.setLink({ stack, name }, true);
  }
}

/**
 * Does nothing unless a process was killed while it injected faults.
 *
 * @throws UserError `faults-running` while a process injects faults
 */
export async function endInterruptedFaults(
  stack: string,
  driver: () => Promise<Hypervisor>,
  say: (text: string) => void,
): Promise<void> {
  if ((await markedFaults(stack)) === undefined) return;
  await withFaultLock(stack, async () => {
    const names = await markedFaults(stack);
    if (names === undefined) return;
    await connectLinks(stack, await driver());
    await clearFaults(stack);
    say(`a process was killed while it injected ${names}: the links of all machines are connected`);
  });
}

/** What faults do to a stack now, or have left there, for `status`; `undefined`: nothing. */
export async function describeFaults(stack: string): Promise<string | undefined> {
  const names = await markedFaults(stack);
  if (names === undefined) return undefined;
  const isFree = await withFaultLock(stack, async () => true).catch((error: unknown) => {
    if (error instanceof UserError && error.id === "faults-running") return false;
    throw error;
  });
  return forStack(
    isFree
      ? `a process was killed while it injected ${names}: \`npx groundplane start\` puts back what is broken`
      : `a \`verify\` or the page of a \`view\` injects ${names} now, and puts back what is broken`,
    stack,
  );
}
