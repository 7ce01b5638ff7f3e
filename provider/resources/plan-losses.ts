/**
 * What a plan would take away from a stack that stands, and whether the cluster survives it. Pure, so that the guard
 * in the provider and the review of a change judge alike.
 */

/** One machine whose loss matters; another image, identity or network card makes it another machine. */
export interface GuardedMember {
  readonly name: string;
  readonly uuid: string;
  readonly image: string;
  readonly macs: readonly string[];
}

export interface GuardedMembers {
  /** Each of them is a member of etcd. */
  readonly masters: readonly GuardedMember[];
  readonly balancers: readonly GuardedMember[];
  readonly storage: readonly GuardedMember[];
  /** How many storage machines hold a copy of the same data. */
  readonly replicas: number;
}

export interface PresentMember extends GuardedMember {
  readonly running: boolean;
}

/** A loss that the cluster would not survive, and what can be done instead. */
export interface RefusedLoss {
  /** The pool it is about. */
  readonly property: "masters" | "balancers" | "storage";
  readonly problem: string;
  readonly instead: string;
}

export type Pool = RefusedLoss["property"];
export const pools: readonly Pool[] = ["masters", "balancers", "storage"];

/** The least number of `members` that can decide for all. */
export const majorityOf = (members: number): number => Math.floor(members / 2) + 1;

/** The pool that a machine belongs to by its name, as the plan names machines. */
export function poolOf(name: string): Pool | undefined {
  const role = /^(master|balancer|storage)-\d+$/.exec(name)?.[1];
  return role === undefined ? undefined : role === "storage" ? "storage" : `${role as "master" | "balancer"}s`;
}

/**
 * Everything about a plan that must not be done, all at once.
 *
 * @param before names of the stack's machines so far, also of those that have vanished
 * @param present what the hypervisor has of them
 */
export function refusedLosses(
  before: readonly string[],
  present: ReadonlyMap<string, PresentMember>,
  after: GuardedMembers,
): readonly RefusedLoss[] {
  const changes = (pool: Pool): PoolChange => changeOf(pool, before, present, after[pool]);
  return [
    ...masterLosses(changes("masters")),
    ...balancerLosses(changes("balancers")),
    ...storageLosses(changes("storage"), after.replicas),
  ];
}

interface PoolChange {
  readonly pool: Pool;
  readonly members: readonly string[];
  readonly removed: readonly string[];
  readonly replaced: readonly string[];
  /** Members that work, or will when `up` has started them again; those that leave are not started any more. */
  readonly standing: readonly string[];
  /** Members that work at this moment. */
  readonly running: readonly string[];
  readonly planned: number;
}

function changeOf(
  pool: Pool,
  before: readonly string[],
  present: ReadonlyMap<string, PresentMember>,
  after: readonly GuardedMember[],
): PoolChange {
  const wanted = new Map(after.map((member) => [member.name, member]));
  const members = before.filter((name) => poolOf(name) === pool);
  const isRunning = (name: string): boolean => present.get(name)?.running === true;
  const isReplaced = (name: string): boolean => {
    const [is, shall] = [present.get(name), wanted.get(name)];
    return is !== undefined && shall !== undefined && !isSameMachine(is, shall);
  };
  return {
    pool,
    members,
    removed: members.filter((name) => !wanted.has(name)),
    replaced: members.filter(isReplaced),
    standing: members.filter((name) => (wanted.has(name) && !isReplaced(name) ? present.has(name) : isRunning(name))),
    running: members.filter(isRunning),
    planned: after.length,
  };
}

const isSameMachine = (one: GuardedMember, other: GuardedMember): boolean =>
  one.uuid === other.uuid && one.image === other.image && `${one.macs}` === `${other.macs}`;

const without = (names: readonly string[], gone: readonly string[]): readonly string[] =>
  names.filter((name) => !gone.includes(name));

const list = (names: readonly string[]): string => (names.length > 0 ? names.join(", ") : "none");

function masterLosses({ members, removed, replaced, standing }: PoolChange): readonly RefusedLoss[] {
  const needed = majorityOf(members.length);
  if (removed.length + replaced.length === 0) return [];
  const refuse = (problem: string, instead: string): readonly RefusedLoss[] => [
    { property: "masters", problem, instead },
  ];
  if (members.length > 1 && standing.length < needed) {
    return refuse(
      `etcd has no majority to decide with: of ${list(members)} only ${list(standing)} can answer`,
      "mend the masters first: take this change back and run `up`",
    );
  }
  const kept = without(standing, replaced);
  if (replaced.length > 0 && kept.length < needed) {
    return refuse(
      `${list(replaced)} would be made anew at once, and etcd would keep ${kept.length} of ${members.length} members; ` +
        `it needs ${needed}`,
      members.length === 1
        ? "the only master holds the cluster's data: grow to three masters first, or begin anew with `groundplane destroy`"
        : "make masters anew one after the other, each with an `up` of its own",
    );
  }
  return leavingInTurn(members, removed, standing).flatMap((problem) =>
    refuse(problem, "mend the masters that stay first: take this change back and run `up`"),
  );
}

/** Masters leave one by one, the last first; a majority of those that are left must stand at each step. */
function leavingInTurn(
  members: readonly string[],
  removed: readonly string[],
  standing: readonly string[],
): readonly string[] {
  let left = members;
  for (const name of [...removed].sort((one, other) => indexOf(other) - indexOf(one))) {
    left = without(left, [name]);
    const alive = left.filter((member) => standing.includes(member));
    if (left.length > 0 && alive.length < majorityOf(left.length)) {
      return [`when ${name} has left, only ${list(alive)} of ${list(left)} would stand, and etcd would stop`];
    }
  }
  return [];
}

const indexOf = (name: string): number => Number(name.split("-").at(-1));

function balancerLosses({ members, removed, replaced, running, planned }: PoolChange): readonly RefusedLoss[] {
  if (members.length === 0) return [];
  const refuse = (problem: string, instead: string): readonly RefusedLoss[] => [
    { property: "balancers", problem, instead },
  ];
  if (members.length !== planned) {
    return refuse(
      `a stack with ${members.length === 1 ? "one balancer" : "a pair of balancers"} cannot be changed into one with ${planned}`,
      "keep the count, or begin anew: `groundplane destroy` keeps the data disks",
    );
  }
  const lost = [...removed, ...replaced];
  const kept = without(running, lost);
  if (lost.length === 0 || members.length === 1 || kept.length > 0) return [];
  return refuse(
    `${list(lost)} would go, and no other balancer is at work to hold the floating IP`,
    "replace one balancer, wait until `up` is done, then the other; mend a stopped one first",
  );
}

function storageLosses(
  { members, removed, replaced, running, planned }: PoolChange,
  replicas: number,
): readonly RefusedLoss[] {
  if (members.length === 0 || removed.length + replaced.length === 0) return [];
  const refuse = (problem: string, instead: string): readonly RefusedLoss[] => [
    { property: "storage", problem, instead },
  ];
  if (removed.length > 0 && planned < replicas) {
    return refuse(
      `without ${list(removed)} there would be ${planned} storage machines for ${replicas} copies of the data`,
      `keep at least ${replicas}`,
    );
  }
  const lost = [...removed, ...replaced];
  const kept = without(running, lost);
  if (replicas < 2 || (lost.length === 1 && kept.length >= majorityOf(replicas))) return [];
  return refuse(
    `${list(lost)} would go at once; left at work: ${list(kept)}; needed for the data: ${majorityOf(replicas)}`,
    "take away or replace one storage machine at a time, each with an `up` of its own, and wait until it has healed",
  );
}
