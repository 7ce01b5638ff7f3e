import { type AppliedChange, appliedChange } from "../model/applied-change";
import { settingsInFiles } from "../model/changed-settings";
import { guestCommand } from "../model/guest-paths";
import { longestOf, longestOfBench } from "../model/measured/measurements";
import { majorityOf } from "../model/pool-change";
import { roles as descriptions, type Role } from "../model/roles";
import { outageOfRoll } from "../model/roll-outages";
import { high, type Judgement, low, medium, nothing } from "./judgements";
import { type Action, clusterObjectsEntry, type Interruption, type NodeChange, type Risk } from "./review";

/** The number of nodes per role: the loss of one of several matters less. */
export type RoleCounts = Readonly<Partial<Record<Role, number>>>;

/** @param sets the roles of each node */
export function countRoles(sets: readonly (readonly Role[])[]): RoleCounts {
  const counts: Partial<Record<Role, number>> = {};
  for (const role of sets.flat()) counts[role] = (counts[role] ?? 0) + 1;
  return counts;
}

/** Recorded figures, each with the commit that was measured. */
const measured = {
  balancerKill: longestOf("balancer-kill", "api-gap"),
  masterKill: longestOf("master-kill", "api-gap"),
  replaceMaster: longestOfBench("replace-master-gap"),
  workerKill: longestOf("worker-kill", "pods-elsewhere"),
  storageKill: longestOf("storage-kill", "write-stall"),
};

/**
 * What is unavailable during the change, and the risk.
 *
 * @param restarting nodes per role whose machines restart at the same time
 * @param away nodes per role that restart, are recreated or are removed
 */
export function judgeChange(
  change: NodeChange,
  counts: RoleCounts,
  restarting: RoleCounts = {},
  away: RoleCounts = restarting,
): Judgement {
  const { action, roles, files, deletedDisks = [] } = change;
  if (deletedDisks.length > 0) {
    const { interruption } = judgeChange({ ...change, deletedDisks: [] }, counts, restarting, away);
    return high(`the data of ${deletedDisks.join(", ")} is deleted`, interruption);
  }
  if (action === "later") return { interruption: nothing, risk: "none", riskReason: "takes effect in a new machine" };
  if (change.node === clusterObjectsEntry) return low("pods of a changed workload restart one after the other");
  if (action === "create") return low("a new node interrupts nothing");
  const isOneOfSeveral = (role: Role): boolean => (counts[role] ?? 1) > 1;
  const gone = roles.find(
    (role) => action === "restart" && isOneOfSeveral(role) && isTooMany(role, counts, restarting),
  );
  if (gone !== undefined) return lossOfAll(gone, restarting);
  if (action === "roll") return judgeRoll(change, isOneOfSeveral, counts);
  if (action === "remove" || action === "replace") {
    // The others leave one after the other.
    const ended = roles.find(
      (role) => descriptions[role].roll === "together" && isOneOfSeveral(role) && isTooMany(role, counts, away),
    );
    if (ended !== undefined) return high(`no ${called[ended]} remains`, { what: lossUntilBack(ended, action) });
  }
  if (action !== "update") return judgeLoss(roles, action, isOneOfSeveral);
  const applied = roles.includes("balancer") ? (judgeOtherPair(change) ?? judgePrograms(change)) : undefined;
  if (applied !== undefined) return applied;
  return judgeUpdate(
    files.map(({ reload }) => reload).filter((reload) => reload !== ""),
    roles.every(isOneOfSeveral),
  );
}

const settingsOf = ({ files }: NodeChange, side: "before" | "after") =>
  settingsInFiles(files.flatMap((file) => file[side] ?? []));

/** What a node applies between its former and its new settings. */
export const appliedBy = (change: NodeChange): AppliedChange =>
  appliedChange(settingsOf(change, "before"), settingsOf(change, "after"));

/** A single balancer becomes one of a pair, or remains alone. */
function judgeOtherPair(change: NodeChange): Judgement | undefined {
  const [was, is] = (["before", "after"] as const).map((side) => settingsOf(change, side)["options.failoverBy"]);
  if (was === is || (was !== "static" && is !== "static")) return undefined;
  const what = "the API, while another program takes over the floating IP";
  return medium(
    is === "static" ? "no other balancer remains" : "the other balancer does not take over before this one takes part",
    { what, ...measured.balancerKill },
  );
}

/** A balancer that gets other programs. */
function judgePrograms(change: NodeChange): Judgement | undefined {
  const { commands, isShared } = appliedBy(change);
  if (isShared) {
    return medium("until both balancers have the other program, neither takes over from the other", {
      ...{ what: "the API, while the floating IP moves", ...measured.balancerKill },
    });
  }
  return commands.length === 0 ? undefined : low("one balancer at a time", { what: "open connections through it" });
}

function judgeUpdate(reloads: readonly string[], isOneOfSeveral: boolean): Judgement {
  if (reloads.length === 0) return low("nothing is reloaded");
  const startsApiServer = reloads.some((reload) => reload === guestCommand("apply-control-plane"));
  if (startsApiServer && !isOneOfSeveral) {
    return medium("there is only one master", { what: "the API, while its server restarts" });
  }
  return low("services reload one node at a time, with a health check after each node");
}

/** etcd and the copies of the volume need a majority, everything else one node. */
function isTooMany(role: Role, counts: RoleCounts, restarting: RoleCounts): boolean {
  const [all, away] = [counts[role] ?? 1, restarting[role] ?? 0];
  return all - away < (role === "etcd" || role === "storage" ? majorityOf(all) : 1);
}

const lossOfAll = (role: Role, restarting: RoleCounts): Judgement =>
  high(`${restarting[role]} machines with the role ${role} restart at the same time`, {
    what: `${descriptions[role].loss.ofTheOnly}, until they are back`,
  });

const lossUntilBack = (role: Role, action: Loss): string =>
  action === "remove" ? descriptions[role].loss.ofTheOnly : `${descriptions[role].loss.ofTheOnly}, until it is back`;

/** Nodes get another image in turns, each handing over before and checked after it. */
function judgeRoll(
  { roles, alongside = [], unlike }: NodeChange,
  isOneOfSeveral: (role: Role) => boolean,
  { etcd = 0 }: RoleCounts,
): Judgement {
  const only = roles.find((role) => !isOneOfSeveral(role));
  if (only !== undefined) return high(`there is only one ${called[only]}`, outageOfRoll(only, unlike));
  const what = roles.map((role) => lossOfRoll[role] ?? descriptions[role].loss.ofOneOfSeveral).join(", ");
  const health =
    alongside.length > 0
      ? `${alongside.length + 1} workers at a time, with health checks before and after them`
      : "one node at a time, with a health check before and after it";
  if (!roles.includes("etcd")) return low(health, { what });
  return medium(`etcd has ${etcd - 1} of ${etcd} members meanwhile; ${health}`, { what });
}

/** Of a machine that shuts down in order, while the others work. */
const lossOfRoll: Partial<Record<Role, string>> = {
  balancer: "requests that take more than three seconds, if it holds the floating IP",
  master: "open connections to its API server",
  etcd: "writes, while etcd elects another leader, if it leads",
};

type Loss = Exclude<Action, "later" | "create" | "update" | "roll">;

/** The node is unavailable temporarily or permanently. Of its roles the one with the highest risk decides. */
function judgeLoss(roles: readonly Role[], action: Loss, isOneOfSeveral: (role: Role) => boolean): Judgement {
  const judgements = roles.map((role) => {
    return isOneOfSeveral(role)
      ? lossOfOne[role]({ what: descriptions[role].loss.ofOneOfSeveral }, action, roles)
      : high(`there is only one ${called[role]}`, { what: lossUntilBack(role, action) });
  });
  const risk = worstRisk(judgements.map((judgement) => judgement.risk));
  return (
    judgements.find((judgement) => judgement.risk === risk) ?? high("the node has no known role", { what: "unknown" })
  );
}

const called: Readonly<Record<Role, string>> = {
  gateway: "gateway",
  balancer: "balancer",
  master: "master",
  etcd: "member of etcd",
  worker: "worker",
  storage: "storage machine",
};

/** The loss of one node while there are others with the role. */
const lossOfOne: Readonly<Record<Role, (loss: Interruption, action: Loss, roles: readonly Role[]) => Judgement>> = {
  gateway: (loss) => high("all traffic between segments passes the gateway", loss),
  balancer: (loss) => medium("only one balancer remains meanwhile", { ...loss, ...measured.balancerKill }),
  master: (loss, action, roles) =>
    medium(roles.includes("etcd") ? "etcd has one member fewer meanwhile" : "there is one API server fewer meanwhile", {
      ...loss,
      ...ofMaster(action),
    }),
  etcd: (loss, action) => medium("etcd has one member fewer meanwhile", { ...loss, ...ofMaster(action) }),
  worker: (loss) => medium("its pods move", { ...loss, ...measured.workerKill }),
  storage: (loss) => medium("the data has one copy fewer until it is healed", { ...loss, ...measured.storageKill }),
};

const ofMaster = (action: Loss) => (action === "restart" ? measured.masterKill : measured.replaceMaster);

const order: readonly Risk[] = ["none", "low", "medium", "high"];

export const worstRisk = (risks: readonly Risk[]): Risk =>
  order[Math.max(0, ...risks.map((risk) => order.indexOf(risk)))] as Risk;
