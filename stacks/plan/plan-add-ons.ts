import type { SegmentName } from "../../model/segments";
import { type DataCenterPlan, type NodePlan, nodesOf } from "./data-center-plan";
import { machinesOf } from "./role-machines";

/** Nodes that get the container images of the stack's add-ons: their pods run on workers only. */
export const addOnNodes = (plan: DataCenterPlan): readonly NodePlan[] =>
  plan.addOns.length === 0 ? [] : nodesOf(plan, "worker");

/**
 * Nodes that answer for service addresses, all in one segment: the machines of the workers' pool, or masters that are workers where there
 * is none.
 */
export function announcersOf(plan: DataCenterPlan): readonly NodePlan[] {
  const workers = machinesOf(plan, "worker");
  return workers.length > 0 ? workers : nodesOf(plan, "worker").filter(({ roles }) => !roles.includes("gateway"));
}

export interface PublishedService {
  /** On 127.0.0.1 of the host. */
  readonly port: number;
  /** On the gateway's uplink. */
  readonly guestPort: number;
  readonly address: string;
  readonly servicePort: number;
}

/**
 * Service addresses that the host reaches. The port on the uplink does not depend on the other entries: forwards of the machine and rules of
 * the gateway change one after the other, and between them a port must not lead to the Service of another entry.
 */
export const publishedServices = ({
  hostPorts: { services = [] },
}: Pick<DataCenterPlan, "hostPorts">): readonly PublishedService[] =>
  services.map((service) => ({ ...service, guestPort: service.port }));

/** In which the gateway finds service addresses; undefined in a stack without them. */
export const announcingSegment = (plan: DataCenterPlan): SegmentName | undefined =>
  plan.addOns.includes("metallb") ? announcersOf(plan)[0]?.interfaces[0]?.segment : undefined;
