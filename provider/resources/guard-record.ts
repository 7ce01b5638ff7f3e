import { isDismantling } from "../../host/dismantling-mark";
import { withFileLock } from "../../host/file-lock";
import { readJson, removeTree, writeJson } from "../../host/file-store";
import { guardFile as recordFile, type StoredRelease } from "../../host/guard-file";
import type { Hypervisor, MachineName } from "../../hypervisors/hypervisor";
import { majorityOf, type Pool, pools } from "../../model/pool-change";
import { UserError } from "../../model/user-error";
import { readLeft } from "./left-members";

/**
 * The guard's record for the deletes of this stack, which are independent of each other: `guard.json` in the stack's folder.
 * It applies while the stack is complete, and no longer during its destruction.
 */
export interface GuardRecord extends StoredRelease, Readonly<Record<Exclude<Pool, "etcd">, readonly string[]>> {
  /** Absent in the records of earlier versions. */
  readonly etcd?: readonly string[];
  readonly replicas: number;
  /** Whether the stack was complete once: an incomplete stack may be removed without checks. */
  readonly complete: boolean;
}

/** Longer than a master needs to leave, including its drain. */
const LOCK_TIMEOUT_MS = 10 * 60_000;

export const readGuardRecord = (stack: string): Promise<GuardRecord | undefined> => readJson(recordFile(stack));

export async function writeGuardRecord(stack: string, record: Omit<GuardRecord, "complete">): Promise<void> {
  const complete = (await readGuardRecord(stack))?.complete ?? false;
  await writeJson(recordFile(stack), { ...record, complete });
}

export async function completeGuardRecord(stack: string): Promise<void> {
  const record = await readGuardRecord(stack);
  if (record) await writeJson(recordFile(stack), { ...record, complete: true });
}

export const dropGuardRecord = (stack: string): Promise<void> => removeTree(recordFile(stack));

/**
 * Members that leave or join in this operation do not block other changes. One process of the provider serves one operation
 * of the engine.
 */
const inTransition = new Set<string>();
const keyOf = ({ stack, name }: MachineName): string => `${stack}/${name}`;
export const isInTransition = (machine: MachineName): boolean => inTransition.has(keyOf(machine));
export const markInTransition = (machine: MachineName): void => {
  inTransition.add(keyOf(machine));
};

/** When it works, e.g. before another node is away for a new image. */
export const endTransition = (machine: MachineName): void => {
  inTransition.delete(keyOf(machine));
};

/** Serialises joining and leaving within one stack across all processes. */
export const withStackLock = <T>(stack: string, action: () => Promise<T>): Promise<T> =>
  withFileLock(recordFile(stack), action, { timeoutMs: LOCK_TIMEOUT_MS });

/**
 * Checks the hypervisor before a planned member is removed.
 * @throws UserError `guarded` when too few members would remain
 */
export async function refuseUnsafeLoss(hypervisor: Hypervisor, machine: MachineName): Promise<void> {
  const record = await readGuardRecord(machine.stack);
  if (!record?.complete || isDismantling(machine.stack)) return;
  const pool = pools.find((name) => record[name]?.includes(machine.name));
  if (!pool) return;
  const members = record[pool] ?? [];
  const needed = neededOthers[pool](members.length, record);
  if (needed === 0) return;
  const atWork: string[] = [];
  for (const name of members) {
    const other = { stack: machine.stack, name };
    if (name === machine.name || isInTransition(other)) continue;
    if (await isAtWork(hypervisor, other)) atWork.push(name);
  }
  if (atWork.length < needed) throw unsafe(machine.name, members.length, needed, atWork);
}

/** A machine that moves to another image may run, but is away until the roll has ended. */
async function isAtWork(hypervisor: Hypervisor, machine: MachineName): Promise<boolean> {
  const present = await hypervisor.inspectMachine(machine);
  return present?.power === "running" && present.formerImage === undefined && !(await readLeft(machine));
}

/** How many other members must be running before one of a pool is lost. */
const neededOthers: Readonly<Record<Pool, (members: number, record: GuardRecord) => number>> = {
  masters: (members, { etcd = [] }) => (etcd.length > 0 ? 1 : majorityOf(members)),
  etcd: majorityOf,
  // A stack with a single balancer accepts its temporary loss.
  balancers: (members) => (members > 1 ? 1 : 0),
  storage: (_members, { replicas }) => (replicas > 1 ? majorityOf(replicas) : 0),
};

function unsafe(name: string, members: number, needed: number, atWork: readonly string[]): UserError {
  if (members === 1) {
    return new UserError(
      "guarded",
      `${name} cannot be removed: it is the only machine of its pool, without which the cluster is lost`,
      "grow its pool first where the pool can grow, or remove the whole stack with `npx groundplane destroy`",
    );
  }
  const left = atWork.length > 0 ? `only ${atWork.join(", ")}` : "none";
  return new UserError(
    "guarded",
    `${name} cannot be removed now: of the other machines ${left} would be running, and ${needed} must be`,
    "run `up` until all of them are healthy, then replace or remove one at a time",
  );
}
