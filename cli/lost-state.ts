import { disksFolder, localStateFile } from "../host/data-folder";
import { localHost } from "../host/local-host";
import { rememberedDriver } from "../hypervisors/choice/stack-driver";
import { driverByName } from "../hypervisors/driver-by-name";
import { ForeignObjectError, type Hypervisor, type StackObject } from "../hypervisors/hypervisor";
import { shutdownMs } from "../model/hypervisor-objects";
import type { StackOutputs } from "../model/stack-outputs";
import { UserError } from "../model/user-error";
import { backupOfState, isStateEmpty } from "../toolchain/run-pulumi/prepare-stack";
import { readStackOutputs } from "../toolchain/run-pulumi/pulumi-command";

/**
 * A stack whose machines are on this host while Pulumi's state of it is gone: its file was deleted, or `pulumi stack rm --force`
 * was run. The drivers' marks say which objects are the stack's.
 */

/** Only kept disks remain after a `destroy`. */
export const withoutDisks = (objects: readonly StackObject[]): readonly StackObject[] =>
  objects.filter(({ kind }) => kind !== "disk");

/** `undefined` if the stack has a state, or nothing on this host. */
export async function lostState(stack: string): Promise<UserError | undefined> {
  const driver = await rememberedDriver(localHost, stack).catch(ifUnreadable);
  if (driver === undefined || !(await isStateEmpty(stack))) return undefined;
  const left = withoutDisks(await driverByName(driver, localHost).listObjects(stack));
  if (left.length === 0) return undefined;
  const remove = "`npx groundplane destroy --lost-state` removes them; data disks stay";
  const backup = await backupOfState(stack);
  return new UserError(
    "state-lost",
    `Pulumi's state of ${stack} is gone, but this host has its ${describeObjects(left)}`,
    backup === undefined
      ? remove
      : `restore the state: mv "${backup}" "${localStateFile(stack)}"; without a usable state, ${remove}`,
  );
}

/** The choice of the driver names the folder that is in the way, with all other obstacles. */
function ifUnreadable(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "EACCES") throw error;
}

/**
 * The stack's outputs with their secrets.
 * @throws UserError `state-lost`, or as `readStackOutputs`
 */
export async function readOutputs(stack: string): Promise<StackOutputs> {
  return readStackOutputs(stack).catch(async (error: unknown) => {
    const isNotUp = error instanceof UserError && error.id === "stack-not-up";
    throw (isNotUp && (await lostState(stack))) || error;
  });
}

/** e.g. `machines gateway, master-1; segments dmz` */
export const describeObjects = (objects: readonly StackObject[]): string =>
  (["machine", "segment", "disk"] as const)
    .map((kind) => ({ kind, names: objects.filter((each) => each.kind === kind).map(({ name }) => name) }))
    .filter(({ names }) => names.length > 0)
    .map(
      ({ kind, names }) => `${kind === "disk" ? "data disk" : kind}${names.length > 1 ? "s" : ""} ${names.join(", ")}`,
    )
    .join("; ");

/**
 * Removes a stack's objects by their marks, also what an interrupted run left. Objects of other owners, and segments and disks
 * without a mark, stay.
 * @throws UserError `foreign-objects` at the end, with the objects that stay
 */
export async function removeObjects(
  hypervisor: Hypervisor,
  stack: string,
  objects: readonly StackObject[],
  say: (text: string) => void,
): Promise<void> {
  const foreign: StackObject[] = [];
  const remove = async (object: StackObject): Promise<void> => {
    if (!isMarked(object, stack)) return void foreign.push(object);
    await removeObject(hypervisor, stack, object, say).catch((error: unknown) => {
      if (!(error instanceof ForeignObjectError)) throw error;
      foreign.push(object);
    });
  };
  // Machines use disks and segments. The last segment removes what a driver keeps per stack.
  for (const kind of ["machine", "disk", "segment"] as const)
    await Promise.all(objects.filter((object) => object.kind === kind).map(remove));
  if (foreign.length === 0) return;
  throw new UserError(
    "foreign-objects",
    `not removed, because their marks do not name ${stack} as the owner: ${describeObjects(foreign)}`,
    `remove them yourself if they are not needed; data disks are in ${disksFolder(stack)}`,
  );
}

/** The driver examines what is left of a machine without a mark: its creation may have been interrupted. */
const isMarked = ({ kind, owner }: StackObject, stack: string): boolean =>
  owner ? owner.stack === stack : kind === "machine";

async function removeObject(
  hypervisor: Hypervisor,
  stack: string,
  { kind, name, owner = { stack, urn: "" } }: StackObject,
  say: (text: string) => void,
): Promise<void> {
  if (kind === "segment") return hypervisor.removeSegment({ stack, name }, owner);
  if (kind === "disk") return hypervisor.removeDisk({ stack, name }, owner);
  say(`removing ${name}`);
  const spec = (await hypervisor.inspectMachine({ stack, name }))?.spec;
  // As in every destroy, a machine with a data disk writes its buffers first.
  if (spec && spec.disks.length > 0) await hypervisor.stopMachine({ stack, name }, shutdownMs(spec));
  await hypervisor.removeMachine({ stack, name }, owner);
}
