/** Everything that the page shows, as JSON. The server and the page share these types. */
import type { Role } from "../../model/roles";
import type { SegmentName } from "../../model/segments";

/** What is planned. It does not change while the page is open. */
export interface Topology {
  readonly stack: string;
  readonly domain: string;
  readonly segments: readonly SegmentBox[];
  readonly machines: readonly MachineBox[];
  readonly flows: readonly FlowLine[];
  readonly floatingIp: string;
  readonly apiPort: number;
  /** The Service of the cluster's DNS, which the time line probes. */
  readonly dnsService: string;
  readonly hasVolume: boolean;
  /** What moves the floating IP; `static`: the only balancer owns it. */
  readonly movedBy: "pacemaker" | "keepalived" | "static";
  readonly hostPorts: { readonly api: number; readonly ssh: number };
  readonly kubernetes: string;
  readonly uplink: string;
}

export interface SegmentBox {
  readonly name: SegmentName;
  readonly cidr: string;
}

export interface MachineBox {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly address: string;
  /** Absent for the gateway, which is in all of them. */
  readonly segment?: SegmentName;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly disks: readonly string[];
}

/** What passes between the machines of two roles. */
export interface FlowLine {
  readonly purpose: string;
  readonly from: Role | "host";
  readonly to: Role | "floating-ip";
  readonly port: string;
}

export type Condition = "healthy" | "unhealthy" | "unknown";

/** A row of the table of health checks, as `status --json` has it. */
export interface CheckView {
  readonly check: string;
  readonly state: Condition | "inapplicable";
  readonly summary: string;
  readonly findings: readonly { readonly of: string; readonly state: Condition; readonly observed: string }[];
  readonly asks: string;
  readonly means: string;
  readonly next: string;
  readonly promised: boolean;
}

export interface MachineView {
  readonly name: string;
  readonly power: "running" | "stopped" | "absent";
  readonly image?: string;
  readonly ready: boolean;
  readonly reason: string;
  readonly kubernetes?: { readonly ready: boolean; readonly version: string };
}

export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly phase: string;
  readonly ready: boolean;
}

export const leaderships = ["etcd", "kube-scheduler", "kube-controller-manager"] as const;
export type Leadership = (typeof leaderships)[number];

/** What may be not known, e.g. because a connection is lost. */
export type Unknown = "floating-ip" | Leadership | "nodes" | "pods";

/** What was observed. The server sends the parts that have changed. */
export interface Observed {
  /** ISO 8601: when everything was asked; empty: not yet. */
  readonly askedAt: string;
  readonly healthy: boolean;
  readonly driver: string;
  readonly api: { readonly endpoint: string; readonly ready: boolean; readonly reason: string };
  readonly machines: readonly MachineView[];
  readonly checks: readonly CheckView[];
  /** Balancers with the floating IP: one, while all is well. */
  readonly holders: readonly string[];
  /** The machine that leads; absent: none does, or none tells. */
  readonly leaders: Readonly<Partial<Record<Leadership, string>>>;
  /** Nodes that get no pods. */
  readonly cordoned: readonly string[];
  readonly pods: readonly PodView[];
  /** What is missing above because it is not known: no holder here is not the same as none. */
  readonly unknown: readonly Unknown[];
}

/** A fault of `verify` that the page can inject. */
export interface OfferedFault {
  readonly name: string;
  readonly what: string;
  /** What the data centre does about it. */
  readonly does: string;
  /** The machine with this duty, several machines, or each of these: one is chosen. */
  readonly breaks: "holder" | "etcd-leader" | "stack" | readonly string[];
  readonly expected: readonly ExpectedFigure[];
  /** Where and when it was measured last; empty: never. */
  readonly origin: string;
}

export interface ExpectedFigure {
  /** e.g. `longest time without an API response` */
  readonly what: string;
  /** e.g. `at most 1.00 s` */
  readonly expected: string;
  /** e.g. `0.85 s`; empty: not measured */
  readonly measured: string;
}

/** What a user asks the page to break, by names of the table of faults and of the plan. */
export interface FaultOrder {
  readonly fault: string;
  /** Of those that the fault breaks in turn. */
  readonly machine?: string;
}

export type FaultPhase = "preparing" | "broken" | "restoring" | "ended";

export interface MeasuredFigure extends ExpectedFigure {
  readonly met: boolean;
}

/** A fault that was injected by this view, or is now. */
export interface FaultRun extends FaultOrder {
  readonly phase: FaultPhase;
  /** Milliseconds since 1970: when it was asked for, and when it began. */
  readonly askedMs: number;
  readonly brokenMs?: number;
  /** What was broken, e.g. `balancer-1`. */
  readonly of: string;
  readonly figures: readonly MeasuredFigure[];
  /** Why it measured nothing, or what is still broken; empty: nothing failed. */
  readonly failed: string;
}

/** What changes and is sent as parts. */
export interface Shown extends Observed {
  /** Faults of this view, oldest first. Only the last one may not have ended. */
  readonly runs: readonly FaultRun[];
  /** Why no fault can be injected; empty: faults can be injected. */
  readonly faultsRefused: string;
  /** The node from which a Service and the volume are probed; empty: they are not probed. */
  readonly probedFrom: string;
}

export interface ViewState extends Shown {
  readonly topology: Topology;
  readonly faults: readonly OfferedFault[];
  readonly events: readonly ViewEvent[];
}

export const eventKinds = ["fault", "failover", "election", "repair", "deploy", "health", "test"] as const;
export type EventKind = (typeof eventKinds)[number];

/** Something that happened, beside the time line. */
export interface ViewEvent {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly kind: EventKind;
  readonly of: string;
  readonly text: string;
}

export const probeTargets = ["api", "service", "volume"] as const;
export type ProbeTarget = (typeof probeTargets)[number];

/** One request of the probe: when it began, and how it ended. */
export interface ProbeSample {
  readonly of: ProbeTarget;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly outcome: "answered" | "late" | "unanswered";
  /** Of an answer. */
  readonly tookMs: number;
}
