import { ports } from "./ports";

/** Addresses that a rule is about; `api` is the balancers together with the floating IP. */
export const flowParties = ["balancer", "api", "master", "etcd", "worker", "storage"] as const;

export type FlowParty = (typeof flowParties)[number];

export interface Flow {
  readonly purpose: string;
  readonly from: readonly FlowParty[];
  readonly to: readonly FlowParty[];
  readonly protocol: "tcp" | "udp";
  /** Ports and ranges, e.g. `8000-8010`. */
  readonly ports: readonly (number | string)[];
}

/** A row of these tables: what `npx groundplane explain flow NAME` says about it. */
export interface Explained {
  readonly name: string;
  /** Why it may pass, or why it may not. */
  readonly why: string;
}

export const etcdPorts = [ports.etcdClient, ports.etcdPeer, ports.etcdMetrics] as const;
