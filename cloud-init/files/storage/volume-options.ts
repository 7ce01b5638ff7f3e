import { fixedTimers } from "../../../model/failover-profiles";
import type { VolumePlan } from "../../../stacks/plan/data-center-plan";
import { confValue } from "../../quoting";

/**
 * Options of the volume, as `name=value`. When a storage machine falls silent, a write waits for its copy until the
 * machine counts as dead. What finds that out is TCP: a live kernel acknowledges data however starved its processes are,
 * so a second without any acknowledgement is a dead machine. Gluster's own ping asks a process, which a saturated host
 * may hold up for longer, and needs twice its timeout; it stays for a brick that hangs.
 * Copies are compared when a brick returns. A client finds its way back to it a few seconds later, and what it changed in
 * between would be compared ten minutes later by default, with a copy less until then.
 */
export const volumeOptions = (volume: VolumePlan): readonly string[] => [
  `auth.allow=${volume.clients.map(confValue).join(",")}`,
  `client.tcp-user-timeout=${volume.deadAfterSeconds}`,
  `network.ping-timeout=${fixedTimers.volume.brickTimeoutSeconds}`,
  `cluster.heal-timeout=${fixedTimers.volume.healIntervalSeconds}`,
];
