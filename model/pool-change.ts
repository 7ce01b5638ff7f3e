import { formerRolesOfPool, type Role } from "./roles";

/** What a plan changes about a pool whose members the cluster needs. */

/** One machine whose loss matters; another identity or network card makes it another machine. */
export interface GuardedMember {
  readonly name: string;
  /** Absent in the states of earlier revisions. */
  readonly roles?: readonly Role[];
  readonly uuid: string;
  readonly macs: readonly string[];
}

export interface GuardedMembers {
  /** Each of them is a member of etcd, unless etcd has machines of its own. */
  readonly masters: readonly GuardedMember[];
  /** Absent where the masters are the members of etcd. */
  readonly etcd?: readonly GuardedMember[];
  readonly balancers: readonly GuardedMember[];
  readonly storage: readonly GuardedMember[];
  /** How many storage machines keep the same data, an arbiter among them. */
  readonly replicas: number;
  /** Shape of the volume that they keep, e.g. `arbiter`; empty when there is none, absent when it is not known. */
  readonly volume?: string;
}

export interface PresentMember extends GuardedMember {
  readonly running: boolean;
}

export type Pool = "masters" | "etcd" | "balancers" | "storage";
export const pools: readonly Pool[] = ["masters", "etcd", "balancers", "storage"];

/** The least number of `members` that can decide for all. */
export const majorityOf = (members: number): number => Math.floor(members / 2) + 1;

/** The role that makes a node a guarded member of the pool. A master that is a member of etcd is guarded as a master. */
const guardedRole: Readonly<Record<Pool, Role>> = {
  ...{ masters: "master", etcd: "etcd" },
  ...{ balancers: "balancer", storage: "storage" },
};

/**
 * The pool that guards nodes with these roles, if any does. A gateway that is a member of etcd counts among the masters, beside
 * whose etcd it votes.
 */
export const poolOf = (roles: readonly Role[]): Pool | undefined =>
  roles.includes("gateway") && roles.includes("etcd")
    ? "masters"
    : pools.find((pool) => roles.includes(guardedRole[pool]));

/** A master that is a balancer, too, is guarded as a master, and is a member of both pools. */
const isMember = (pool: Pool, roles: readonly Role[]): boolean =>
  poolOf(roles) === pool || (pool === "balancers" && roles.includes("balancer"));

/** The planned members of a pool, by roles. */
export const plannedMembers = (planned: GuardedMembers, pool: Pool): readonly GuardedMember[] =>
  pools.flatMap((home) => (planned[home] ?? []).filter((member) => isMember(pool, rolesOfMember(home, member))));

/** The planned members that the guard protects, of a plan or of a rendering. */
export function guardedPools<Node extends { readonly roles: readonly Role[] }>(
  nodes: readonly Node[],
  memberOf: (node: Node) => GuardedMember,
): Pick<GuardedMembers, Pool> {
  const members = (pool: Pool) => nodes.filter(({ roles }) => poolOf(roles) === pool).map(memberOf);
  const etcd = members("etcd");
  return {
    ...{ masters: members("masters"), balancers: members("balancers"), storage: members("storage") },
    ...(etcd.length > 0 && { etcd }),
  };
}

/** Earlier revisions recorded a member's pool alone. */
export const rolesOfMember = (pool: Pool, { roles }: Pick<GuardedMember, "roles">): readonly Role[] =>
  roles ?? formerRolesOfPool[pool];

/** A machine of the stack before the change, including one that no longer exists. */
export interface FormerMachine {
  readonly name: string;
  readonly roles: readonly Role[];
}

export interface PoolChange {
  readonly pool: Pool;
  readonly members: readonly string[];
  /** The gateway is a member, of which there is always one. */
  readonly onGateway: boolean;
  readonly removed: readonly string[];
  readonly replaced: readonly string[];
  /** Members that work, or will when `up` has started them again; those that leave are not started any more. */
  readonly standing: readonly string[];
  /** Members that work at this moment. */
  readonly running: readonly string[];
  readonly planned: number;
}

export function changeOf(
  pool: Pool,
  before: readonly FormerMachine[],
  present: ReadonlyMap<string, PresentMember>,
  after: readonly GuardedMember[],
): PoolChange {
  const wanted = new Map(after.map((member) => [member.name, member]));
  const former = before.filter(({ roles }) => isMember(pool, roles));
  const members = former.map(({ name }) => name);
  const isRunning = (name: string): boolean => present.get(name)?.running === true;
  const isReplaced = (name: string): boolean => {
    const [is, shall] = [present.get(name), wanted.get(name)];
    return is !== undefined && shall !== undefined && !isSameMachine(is, shall);
  };
  return {
    pool,
    members,
    onGateway: former.some(({ roles }) => roles.includes("gateway")),
    removed: members.filter((name) => !wanted.has(name)),
    replaced: members.filter(isReplaced),
    standing: members.filter((name) => (wanted.has(name) && !isReplaced(name) ? present.has(name) : isRunning(name))),
    running: members.filter(isRunning),
    planned: after.length,
  };
}

const isSameMachine = (one: GuardedMember, other: GuardedMember): boolean =>
  one.uuid === other.uuid && `${one.macs}` === `${other.macs}`;

export const without = (names: readonly string[], gone: readonly string[]): readonly string[] =>
  names.filter((name) => !gone.includes(name));

export const list = (names: readonly string[]): string => (names.length > 0 ? names.join(", ") : "none");
