import { longestOf, longestOfBench } from "../model/measured/measurements";
import type { Role } from "../stacks/plan/data-center-plan";
import type { Action, Interruption, NodeChange, Risk } from "./review";

/** The number of nodes per role: the loss of one of several matters less. */
export type RoleCounts = Readonly<Partial<Record<Role, number>>>;

export interface Judgement {
  readonly interruption: Interruption;
  readonly risk: Risk;
  readonly riskReason: string;
}

/** The same figures as in the README. */
const measured = {
  balancerKill: longestOf("balancer-kill", "api-gap"),
  masterKill: longestOf("master-kill", "api-gap"),
  replaceMaster: longestOfBench("replace-master-gap"),
  workerKill: longestOf("worker-kill", "pods-elsewhere"),
  storageKill: longestOf("storage-kill", "write-stall"),
};

const nothing: Interruption = { what: "nothing" };
const low = (riskReason: string, interruption: Interruption = nothing): Judgement => ({
  interruption,
  risk: "low",
  riskReason,
});
const medium = (riskReason: string, interruption: Interruption): Judgement => ({
  interruption,
  risk: "medium",
  riskReason,
});
const high = (riskReason: string, interruption: Interruption): Judgement => ({
  interruption,
  risk: "high",
  riskReason,
});

/** What is unavailable during the change, and the risk. */
export function judgeChange(change: NodeChange, counts: RoleCounts): Judgement {
  const { action, role, files } = change;
  if (action === "later") return { interruption: nothing, risk: "none", riskReason: "takes effect in a new machine" };
  if (action === "create") return low("a new node interrupts nothing");
  const isOneOfSeveral = (counts[role] ?? 1) > 1;
  if (action !== "update") return judgeLoss(role, action, isOneOfSeveral);
  return judgeUpdate(
    files.map(({ reload }) => reload).filter((reload) => reload !== ""),
    isOneOfSeveral,
  );
}

function judgeUpdate(reloads: readonly string[], isOneOfSeveral: boolean): Judgement {
  if (reloads.length === 0) return low("nothing is reloaded");
  const startsApiServer = reloads.some((reload) => reload.endsWith("/apply-control-plane"));
  if (startsApiServer && !isOneOfSeveral) {
    return medium("there is only one master", { what: "the API, while its server restarts" });
  }
  return low("services reload one node at a time, with a health check after each node");
}

/** The node is unavailable temporarily or permanently. */
function judgeLoss(
  role: Role,
  action: Exclude<Action, "later" | "create" | "update">,
  isOneOfSeveral: boolean,
): Judgement {
  switch (role) {
    case "gateway":
      return high("there is only one gateway", {
        what: "traffic between segments, DNS, and access from the host, until it is back",
      });
    case "balancer":
      return isOneOfSeveral
        ? medium("only one balancer remains meanwhile", {
            what: "the API, if it holds the floating IP",
            ...measured.balancerKill,
          })
        : high("there is only one balancer", { what: "the API, until it is back" });
    case "master":
      if (!isOneOfSeveral) return high("there is only one master", { what: "the API, until it is back" });
      return medium("etcd has one member fewer meanwhile", {
        what: "the API",
        ...(action === "restart" ? measured.masterKill : measured.replaceMaster),
      });
    case "worker":
      return isOneOfSeveral
        ? medium("its pods move", { what: "its pods, until they run on other workers", ...measured.workerKill })
        : high("there is only one worker", { what: "all workloads, until it is back" });
    case "storage":
      return isOneOfSeveral
        ? medium("the data has one copy fewer until it is healed", {
            what: "writes to volumes",
            ...measured.storageKill,
          })
        : high("there is only one storage machine", { what: "all volumes, until it is back" });
  }
}

const order: readonly Risk[] = ["none", "low", "medium", "high"];

export const worstRisk = (risks: readonly Risk[]): Risk =>
  order[Math.max(0, ...risks.map((risk) => order.indexOf(risk)))] as Risk;
