import type { Fault } from "../fault";
import { balancerKill, haproxyCrash, plannedMove } from "./balancers";
import { gatewayKill } from "./gateway";
import { isolation, partition } from "./isolation";
import { etcdLeaderKill, masterKill, quorumLoss } from "./masters";
import { saturation } from "./saturation";
import { storageKill } from "./storage";
import { allStopped, idleStream } from "./whole-stack";
import { workerKill } from "./workers";

/** In the order of execution, from the shortest to the longest. */
export const faults: readonly Fault[] = [
  ...[balancerKill, plannedMove, haproxyCrash, isolation, partition],
  ...[masterKill, etcdLeaderKill, quorumLoss],
  ...[workerKill, storageKill],
  ...[gatewayKill, idleStream, allStopped, saturation],
];
