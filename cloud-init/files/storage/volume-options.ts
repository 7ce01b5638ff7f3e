import { fixedTimers } from "../../../model/failover-profiles";
import type { VolumePlan } from "../../../stacks/plan/data-center-plan";
import { confValue } from "../../quoting";

/**
 * Options of the volume, as `name=value`. When a storage machine stops responding, a write waits for its copy until the machine
 * counts as failed. TCP detects the failure: a running kernel acknowledges data even when its processes are starved, so one
 * second without an ACK means a failed machine. Gluster's own ping depends on a process, which a saturated host may delay
 * longer, and needs twice its timeout; it remains for a brick that hangs.
 * Gluster compares the copies when a brick returns. A client reconnects to it a few seconds later, and its changes in between
 * would be compared ten minutes later by default, with one copy fewer until then.
 */
export const volumeOptions = (volume: VolumePlan): readonly string[] => [
  `auth.allow=${volume.clients.map(confValue).join(",")}`,
  `client.tcp-user-timeout=${volume.deadAfterSeconds}`,
  `network.ping-timeout=${fixedTimers.volume.brickTimeoutSeconds}`,
  `cluster.heal-timeout=${fixedTimers.volume.healIntervalSeconds}`,
];
