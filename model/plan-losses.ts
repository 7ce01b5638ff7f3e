import {
  changeOf,
  type FormerMachine,
  type GuardedMembers,
  list,
  majorityOf,
  type Pool,
  type PoolChange,
  type PresentMember,
  plannedMembers,
  poolOf,
  without,
} from "./pool-change";
import type { Role } from "./roles";

/**
 * What a plan would take away from a stack that stands, and whether the cluster survives it. Pure, so that the guard
 * in the provider and the review of a change judge alike.
 */

/** What the guard's refusal begins with; the engine puts its own words before it. */
export const refusalPrefix = "refused, because the cluster would not survive it: ";

/** A loss that the cluster would not survive, and what can be done instead. */
export interface RefusedLoss {
  /** The pool it is about. */
  readonly property: Pool;
  readonly problem: string;
  readonly instead: string;
}

/**
 * Everything about a plan that must not be done, all at once.
 *
 * @param before the stack's machines so far, also those that have vanished
 * @param present what the hypervisor has of them
 * @param volume shape of the volume so far, where it is known
 */
export function refusedLosses(
  before: readonly FormerMachine[],
  present: ReadonlyMap<string, PresentMember>,
  after: GuardedMembers,
  volume = after.volume,
): readonly RefusedLoss[] {
  const changes = (pool: Pool): PoolChange => changeOf(pool, before, present, plannedMembers(after, pool));
  const moved = movedEtcd(before, after);
  if (moved.length > 0) return moved;
  return Object.values(lossesOf).flatMap((losses) => losses(changes, { ...after, former: volume }));
}

interface Volumes extends Pick<GuardedMembers, "replicas" | "volume"> {
  /** Shape before the change. */
  readonly former: string | undefined;
}

type Losses = (changes: (pool: Pool) => PoolChange, volumes: Volumes) => readonly RefusedLoss[];

/** While such a node is away others may miss its service, but nothing is lost with it. */
const nothingLost: Losses = () => [];

/** What must not be lost of each role. */
const lossesOf: Readonly<Record<Role, Losses>> = {
  gateway: nothingLost,
  // Its state is etcd's. One master must stay, through which the others join.
  master: (changes) => (changes("etcd").members.length > 0 ? lastMasterLost(changes("masters")) : []),
  etcd: (changes) =>
    etcdLosses(changes(changes("etcd").members.length > 0 ? "etcd" : "masters"), areMoved(changes("balancers"))),
  balancer: (changes) => balancerLosses(changes("balancers")),
  worker: nothingLost,
  storage: (changes, { replicas, former, volume }) => [
    ...storageLosses(changes("storage"), replicas),
    ...reshapedVolume(changes("storage"), former, volume),
  ],
};

/** The start of `only a of a, b, c respond`, also where none does. */
const onlyList = (names: readonly string[]): string => (names.length > 0 ? `only ${list(names)}` : "none");

const startOver = "`groundplane destroy` keeps the data disks";
const restoredElsewhere = "create another stack with it and restore a backup of etcd there";
const keepBalancers = `keep balancers on the machines that they are on (pools.balancers.count, roles of other pools), or ${restoredElsewhere}`;

/** Balancers have their own segment. A master that becomes one, or is one no longer, is another machine. */
const areMoved = ({ members, removed }: Pick<PoolChange, "members" | "removed">): boolean =>
  members.length > 0 && removed.length === members.length;

/** Masters and etcd machines take no other's place: the data of etcd would have to move member by member. */
function movedEtcd(before: readonly FormerMachine[], { etcd = [] }: GuardedMembers): readonly RefusedLoss[] {
  const members = before.filter(({ roles }) => roles.includes("etcd"));
  const [machines, masters] = [true, false].map((own) =>
    members.filter(({ roles }) => (poolOf(roles) === "etcd") === own).map(({ name }) => name),
  ) as [string[], string[]];
  if (etcd.length > 0 && masters.length > 0) {
    const problem = `the cluster's data is on ${list(masters)} and cannot move to machines for etcd`;
    return [{ property: "etcd", problem, instead: `keep pools.etcd.count: 0, or ${restoredElsewhere}` }];
  }
  if (etcd.length > 0 || machines.length === 0) return [];
  const problem = `the cluster's data is on ${list(machines)} and cannot move to the masters`;
  return [{ property: "etcd", problem, instead: `keep pools.etcd.count: ${machines.length}, or ${restoredElsewhere}` }];
}

const growth = ({ onGateway }: PoolChange, size: string): string =>
  onGateway ? "keep the gateway's machine" : `grow to ${size} first`;

function lastMasterLost(change: PoolChange): readonly RefusedLoss[] {
  const { members, removed, replaced, running } = change;
  const lost = [...removed, ...replaced];
  if (lost.length === 0 || without(running, lost).length > 0) return [];
  const problem = `${list(lost)} would go, and no other master is at work through which masters can join`;
  const instead =
    members.length === 1
      ? growth(change, "two masters")
      : "recreate masters one after the other, each with a separate `up`; repair a stopped one first";
  return [{ property: "masters", problem, instead }];
}

function etcdLosses(change: PoolChange, balancersMove: boolean): readonly RefusedLoss[] {
  const { pool, members, removed, replaced, standing } = change;
  const needed = majorityOf(members.length);
  if (removed.length + replaced.length === 0) return [];
  const noun = pool === "etcd" ? "etcd machine" : "master";
  const refuse = (problem: string, instead: string): readonly RefusedLoss[] => [{ property: pool, problem, instead }];
  if (members.length > 1 && standing.length < needed) {
    return refuse(
      `etcd has no majority: ${onlyList(standing)} of ${list(members)} respond`,
      `repair the ${noun}s first: revert this change and run \`up\``,
    );
  }
  const kept = without(standing, replaced);
  if (replaced.length > 0 && kept.length < needed) {
    const problem =
      `${list(replaced)} would be recreated at once, and etcd would keep ${kept.length} of ${members.length} members; ` +
      `it needs ${needed}`;
    const only = `the only ${noun} holds the cluster's data: ${growth(change, `three ${noun}s`)}, or start over with \`groundplane destroy\``;
    const inTurn = members.length === 1 ? only : `recreate ${noun}s one after the other, each with a separate \`up\``;
    return refuse(problem, balancersMove ? keepBalancers : inTurn);
  }
  return leavingInTurn(members, removed, standing).flatMap((problem) =>
    refuse(problem, `repair the remaining ${noun}s first: revert this change and run \`up\``),
  );
}

/** Members leave one by one, the last first; a majority of those that are left must stand at each step. */
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
      return [`when ${name} has left, ${onlyList(alive)} of ${list(left)} would remain, and etcd would stop`];
    }
  }
  return [];
}

const indexOf = (name: string): number => Number(name.split("-").at(-1));

function balancerLosses({ members, removed, replaced, running }: PoolChange): readonly RefusedLoss[] {
  const lost = [...removed, ...replaced];
  if (lost.length === 0 || without(running, lost).length > 0) return [];
  // Only a balancer that stays can hand over. A single one may be replaced in its place.
  const isMoved = areMoved({ members, removed });
  if (members.length === 1 && !isMoved) return [];
  const problem = `${list(lost)} would go, and no other balancer is at work to hold the floating IP`;
  const instead = isMoved
    ? keepBalancers
    : "replace one balancer, wait until `up` is done, then the other; repair a stopped one first";
  return [{ property: "balancers", problem, instead }];
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
      `without ${list(removed)} there would be ${planned} storage machines for a volume of ${replicas}`,
      `keep at least ${replicas} (pools.storage.count), or start over: ${startOver}`,
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

/** Gluster would have to copy everything to another kind of volume, or keep unplanned machines. */
function reshapedVolume(
  { members, planned }: PoolChange,
  before: string | undefined,
  after: string | undefined,
): readonly RefusedLoss[] {
  // Fewer machines are refused as such.
  if (!before || !after || before === after || members.length === 0 || planned < members.length) return [];
  const problem = `the volume is ${before} and cannot become ${after}: its data would have to be copied`;
  const key = before === "single" ? "pools.storage.count: 1" : `storage.volume: ${before}`;
  return [{ property: "storage", problem, instead: `keep its shape (${key}), or start over: ${startOver}` }];
}
