import * as path from "node:path";
import { stackFolder } from "../../host/data-folder";
import { isDismantling } from "../../host/dismantling-mark";
import { withFileLock } from "../../host/file-lock";
import { readJson, removeTree, writeJson } from "../../host/file-store";
import type { Hypervisor, MachineName } from "../../hypervisors/hypervisor";
import { majorityOf, type Pool, pools } from "../../model/pool-change";
import { UserError } from "../../model/user-error";

/**
 * What the guard has told the deletes of this stack, which know nothing of each other: `guard.json` in the stack's
 * folder. It counts once the stack stands as a whole, and no more when it is dismantled.
 */
export interface GuardRecord extends Readonly<Record<Pool, readonly string[]>> {
  readonly replicas: number;
  /** Everything has been there once: a stack that is still being made may be taken down as it is. */
  readonly complete: boolean;
}

const recordFile = (stack: string): string => path.join(stackFolder(stack), "guard.json");

/** Longer than a master takes to leave, drain and all. */
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
 * Members that have left, gone or come in this operation: they are on their way and hold nothing up. One process of the
 * provider serves one operation of the engine.
 */
const onTheirWay = new Set<string>();
const keyOf = ({ stack, name }: MachineName): string => `${stack}/${name}`;
export const isOnItsWay = (machine: MachineName): boolean => onTheirWay.has(keyOf(machine));
export const setOnItsWay = (machine: MachineName): void => {
  onTheirWay.add(keyOf(machine));
};

/** Members of one stack come and go one after the other, in all processes. */
export const oneByOne = <T>(stack: string, action: () => Promise<T>): Promise<T> =>
  withFileLock(recordFile(stack), action, { timeoutMs: LOCK_TIMEOUT_MS });

/**
 * Looks at the hypervisor before a planned member is lost.
 * @throws UserError `guarded` when those that would be left are too few
 */
export async function refuseUnsafeLoss(hypervisor: Hypervisor, machine: MachineName): Promise<void> {
  const record = await readGuardRecord(machine.stack);
  if (!record?.complete || isDismantling(machine.stack)) return;
  const pool = pools.find((name) => record[name].includes(machine.name));
  if (!pool) return;
  const members = record[pool];
  const needed = neededOthers(pool, members.length, record.replicas);
  if (needed === 0) return;
  const atWork: string[] = [];
  for (const name of members) {
    const other = { stack: machine.stack, name };
    if (name === machine.name || isOnItsWay(other)) continue;
    if ((await hypervisor.inspectMachine(other))?.power === "running") atWork.push(name);
  }
  if (atWork.length < needed) throw unsafe(machine.name, members.length, needed, atWork);
}

function neededOthers(pool: Pool, members: number, replicas: number): number {
  if (pool === "masters") return majorityOf(members);
  // Whoever has a single balancer has chosen to be without it at times.
  if (pool === "balancers") return members > 1 ? 1 : 0;
  return replicas > 1 ? majorityOf(replicas) : 0;
}

function unsafe(name: string, members: number, needed: number, atWork: readonly string[]): UserError {
  if (members === 1) {
    return new UserError(
      "guarded",
      `${name} must not go: it is the only one of its pool, and the cluster's data would go with it`,
      "grow the pool first, or take the whole stack down with `npx groundplane destroy`",
    );
  }
  const left = atWork.length > 0 ? `only ${atWork.join(", ")}` : "nobody";
  return new UserError(
    "guarded",
    `${name} must not go now: of the others ${left} would be at work, and ${needed} must be`,
    "run `up` until all of them work, then replace or remove one at a time",
  );
}
