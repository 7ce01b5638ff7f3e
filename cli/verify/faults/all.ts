import type { Fault } from "../fault";
import { balancerKill, haproxyCrash, isolation, plannedMove } from "./balancers";
import { etcdLeaderKill, masterKill, quorumLoss } from "./masters";
import { allStopped, gatewayKill, idleStream } from "./whole";
import { workerKill } from "./workers";

/** In the order in which they are made: from what costs least to what costs most. */
export const faults: readonly Fault[] = [
  ...[balancerKill, plannedMove, haproxyCrash, isolation],
  ...[masterKill, etcdLeaderKill, quorumLoss],
  workerKill,
  ...[gatewayKill, idleStream, allStopped],
];
