import type { Role } from "../../model/roles";
import type { Fault } from "../fault";
import { balancerKill, crashes, plannedMove } from "./balancers";
import { componentCrashes } from "./control-plane";
import { gatewayKill } from "./gateway";
import { isolation, partition } from "./isolation";
import { etcdKill, etcdLeaderKill, masterKill, quorumLoss, serverKill } from "./masters";
import { saturation } from "./saturation";
import { storageKill } from "./storage";
import { allStopped, idleStream } from "./whole-stack";
import { witnessKill } from "./witness";
import { workerKill } from "./workers";

/** Faults of nodes by role, in the order of execution: from the shortest to the longest. */
export const faultsOf: Readonly<Record<Role, readonly Fault[]>> = {
  balancer: [balancerKill, plannedMove, ...crashes, isolation, partition],
  master: [masterKill, serverKill],
  etcd: [etcdKill, etcdLeaderKill, quorumLoss],
  worker: [workerKill],
  storage: [storageKill],
  gateway: [gatewayKill, witnessKill],
};

/** In the order of execution; faults of the whole stack come last. */
export const faults: readonly Fault[] = [
  ...Object.values(faultsOf).flat(),
  ...componentCrashes,
  idleStream,
  allStopped,
  saturation,
];
