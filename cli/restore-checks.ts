import { etcdMembers } from "../backup/etcd-members";
import type { BackupManifest } from "../backup/write-backup";
import { connectAnyGuest, connectionOf } from "../guests/connect-guest";
import type { StackObject } from "../hypervisors/hypervisor";
import { encryptionKeysIn, hostSeedsIn } from "../model/former-keys";
import { guestPaths } from "../model/guest-paths";
import { isRotated } from "../model/key-rotations";
import { ports } from "../model/ports";
import { followsRelease } from "../model/release-changes";
import { type Role, storedRoles } from "../model/roles";
import type { StackOutputs } from "../model/stack-outputs";
import { UserError } from "../model/user-error";

/** What a restore refuses, before it changes anything. */

/** Machines of the control plane begin again from the snapshot: a survivor's data belongs to the lost cluster. */
export const isRestored = (roles: readonly Role[]): boolean => roles.includes("master") || roles.includes("etcd");

type Keys = Readonly<Record<string, string>>;

export interface Restored {
  readonly stack: string;
  readonly kubernetes: string;
  readonly manifest: BackupManifest;
  readonly keys: Readonly<Record<string, string>>;
  /** Those of the state; absent for a new stack. */
  readonly present?: Readonly<Record<string, string>>;
}

/** Pure. @throws UserError `other-stack` */
export function refuseOtherName(stack: string, ofBackup: string): void {
  if (ofBackup === stack) return;
  const problem = `the backup is of the stack ${ofBackup}, not of ${stack}: certificates and addresses have its name`;
  throw new UserError("other-stack", problem, `add --stack ${ofBackup}`);
}

/** Pure. @throws UserError with the reason */
export function refuseOtherStack({ stack, kubernetes, manifest, keys, present }: Restored): void {
  refuseOtherName(stack, manifest.stack);
  // Machines that stay have the images of their release.
  const isReadable = present === undefined && followsRelease(manifest.kubernetes, kubernetes);
  if (manifest.kubernetes !== kubernetes && !isReadable) {
    const problem = `the backup is of Kubernetes ${manifest.kubernetes}, and ${stack} has ${kubernetes}`;
    throw new UserError(
      "other-release",
      problem,
      `restore it into a new stack with kubernetesVersion: ${manifest.kubernetes}`,
    );
  }
  if (present === undefined) return;
  if (!sameKeys(keys, present)) throw otherKeys(stack);
  refuseUnknownEncryption(stack, keys, present);
}

const otherKeys = (stack: string): UserError =>
  new UserError(
    "other-keys",
    `${stack} has other keys than the backup: its workers do not trust what the backup contains`,
    "`npx groundplane destroy` removes the stack, data disks stay; then restore the backup into a new stack",
  );

/** The restored API servers read the Secrets of the backup with the present key or a former one of the state. */
function refuseUnknownEncryption(stack: string, keys: Keys, present: Keys): void {
  const known = encryptionKeysIn(present).map(({ secret }) => secret);
  const [{ secret } = { secret: "" }] = encryptionKeysIn(keys);
  if (known.includes(secret)) return;
  throw new UserError(
    "other-encryption",
    `the Secrets of the backup are encrypted with a key that ${stack} neither has nor had: it was rotated in another state`,
    "`npx groundplane destroy` removes the stack, data disks stay; then restore the backup into a new stack",
  );
}

/**
 * A backup may have keys that were rotated meanwhile: nothing in etcd depends on them, or the state has the former ones, or what depends
 * on them is renewed.
 */
const sameKeys = (one: Keys, other: Keys): boolean =>
  hostSeedsIn(one).some((seed) => hostSeedsIn(other).includes(seed)) &&
  [...new Set([...Object.keys(one), ...Object.keys(other)])].every(
    (name) => isRotated(name) || one[name] === other[name],
  );

/** Pure. @throws UserError `gateway-restored` */
export function refuseSharedMachines(roles: readonly (readonly Role[])[]): void {
  const shared = roles.find((each) => isRestored(each) && (each.includes("gateway") || each.includes("storage")));
  if (!shared) return;
  throw new UserError(
    "restore-shared",
    `a machine with the roles ${shared.join(", ")} would have to be recreated, and the data of its other roles is not in the backup`,
    "restore into a new stack: `npx groundplane destroy`, then repeat; data disks stay",
  );
}

const ASK_MS = 15_000;

/** Whether a member confirms a read, so that etcd has a majority. */
export async function hasMajority(outputs: StackOutputs): Promise<boolean> {
  const pki = guestPaths.etcdPki;
  const certificate = `--cacert=${pki}/ca.crt --cert=${pki}/healthcheck-client.crt --key=${pki}/healthcheck-client.key`;
  const read = `exec etcdctl --endpoints=https://127.0.0.1:${ports.etcdClient} ${certificate} --command-timeout=5s get groundplane`;
  const asked = etcdMembers(outputs).map(async (member) => {
    const signal = AbortSignal.timeout(ASK_MS);
    const guest = await connectAnyGuest(connectionOf(member, outputs), { signal });
    if ((await guest.run(["/bin/bash", "-c", read], { signal })).code !== 0) throw new Error("no answer");
  });
  return Promise.any(asked).then(
    () => true,
    () => false,
  );
}

/** The stack's machines that are recreated. */
export function machinesToRecreate(
  objects: readonly StackObject[],
  nodes: readonly { readonly name: string; readonly role?: string; readonly roles?: readonly Role[] }[],
): readonly StackObject[] {
  const restored = new Set(nodes.filter((node) => isRestored(storedRoles(node))).map(({ name }) => name));
  return objects.filter(({ kind, name }) => kind === "machine" && restored.has(name));
}
