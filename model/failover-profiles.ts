/** How soon silence counts as failure: every timer of `options.failover`, by what uses it. */
export interface FailoverTimers {
  readonly balancing: {
    /** Corosync declares a member dead after token and consensus. */
    readonly tokenMs: number;
    readonly consensusMs: number;
    readonly knetPingIntervalMs: number;
    readonly knetPingTimeoutMs: number;
    /** keepalived: time between two advertisements; the third that is missing counts as failure. */
    readonly advertisementMs: number;
    /** HAProxy: how long a master may take to accept a connection, and then to answer a check. */
    readonly connectMs: number;
    readonly checkMs: number;
    /** What `verify` allows for a move of the floating IP after its holder is lost. */
    readonly takeoverMs: number;
  };
  readonly kubernetes: {
    /** Seconds of silence after which a node counts as dead, and how long its pods then wait to be replaced. */
    readonly nodeSilenceSeconds: number;
    readonly podPatienceSeconds: number;
    /** How often etcd's leader sends a heartbeat, and the silence after which the other members start an election. */
    readonly etcdHeartbeatMs: number;
    readonly etcdElectionMs: number;
    /** Nodes that answer for service addresses probe each other so often; one that is silent for so many further probes counts as dead. */
    readonly speakerProbeMs: number;
    readonly speakerPatience: number;
  };
  readonly volume: {
    /** A storage machine that acknowledges no data for so long counts as dead. */
    readonly deadAfterSeconds: number;
  };
}

/**
 * `fast` caused no false failover with both cores saturated; `calm` is for hosts that stall for longer, such as laptops
 * that swap.
 *
 * - A consensus below the token is safe for few members on one segment: the member that lost the token tells the others
 *   at once, and they respond within milliseconds. Corosync requires more than 50 ms, the time between two of its requests. knet refuses the ping times that it would derive from a token below 400 ms.
 * - An HAProxy check outlasts an election of etcd, during which no master is ready.
 * - A kubelet reports every ten seconds: `fast` misses one report, `calm` three. Stock Kubernetes starts the pods of a dead
 *   node elsewhere after almost six minutes.
 * - etcd replaces a silent leader after one to two election times. Until then it accepts no write. `calm` has its defaults.
 * - Another worker answers for a service address after about `speakerProbeMs` × (`speakerPatience` + 1). `calm` has the defaults of
 *   MetalLB.
 * - A stalled write to a volume continues 0.5 s after the storage machine counts as dead, measured under load.
 */
export const failoverProfiles = {
  fast: {
    balancing: {
      ...{ tokenMs: 230, consensusMs: 80, knetPingIntervalMs: 200, knetPingTimeoutMs: 400 },
      ...{ advertisementMs: 200, connectMs: 250, checkMs: 1000, takeoverMs: 1000 },
    },
    kubernetes: {
      nodeSilenceSeconds: 20,
      podPatienceSeconds: 10,
      etcdHeartbeatMs: 80,
      etcdElectionMs: 400,
      speakerProbeMs: 500,
      speakerPatience: 3,
    },
    volume: { deadAfterSeconds: 1 },
  },
  calm: {
    balancing: {
      ...{ tokenMs: 1000, consensusMs: 1200, knetPingIntervalMs: 250, knetPingTimeoutMs: 500 },
      ...{ advertisementMs: 600, connectMs: 1000, checkMs: 3000, takeoverMs: 4000 },
    },
    kubernetes: {
      nodeSilenceSeconds: 40,
      podPatienceSeconds: 60,
      etcdHeartbeatMs: 100,
      etcdElectionMs: 1000,
      speakerProbeMs: 1000,
      speakerPatience: 4,
    },
    volume: { deadAfterSeconds: 2 },
  },
} as const satisfies Readonly<Record<string, FailoverTimers>>;

/** How soon silence counts as failure: `fast` for a host with idle processors, `calm` for one that stalls. */
export type FailoverProfile = keyof typeof failoverProfiles;
export const failoverProfileNames = Object.keys(failoverProfiles) as readonly FailoverProfile[];

/** Timers that no profile changes. */
export const fixedTimers = {
  /** HAProxy's checks of a master: healthy, changing, down. */
  check: { intervalMs: 250, fastIntervalMs: 150, downIntervalMs: 500, fall: 2, rise: 1 },
  /** HAProxy's checks of a NodePort on each worker, which pods see as connections without a request. */
  nodePortCheck: { intervalMs: 2000, fastIntervalMs: 500 },
  /**
   * nginx does not check masters: after a refused or unanswered connection it leaves one out for so long. The kernel ends an
   * idle connection to a dead master after `idleSeconds` and `probes` seconds, and one with unanswered data after 6 s, which
   * `retransmissions` says. A kubelet then still reports within the shortest silence after which its node counts as dead.
   */
  passive: { failures: 1, leftOutSeconds: 2, idleSeconds: 5, probes: 3, retransmissions: 4 },
  /** keepalived's check of the program beside it. */
  balancer: { intervalSeconds: 1, timeoutSeconds: 2, fall: 3, rise: 1 },
  /**
   * A master's check of etcd machines. With the time to connect, a member that is silent is left within 0.8 s; an unnecessary
   * change of the member costs some repeated requests.
   */
  etcdCheck: { intervalMs: 200, fastIntervalMs: 50, downIntervalMs: 500, fall: 2, rise: 1 },
  /** Gluster: a brick whose process does not answer, and the time between two comparisons of copies. */
  volume: { brickTimeoutSeconds: 10, healIntervalSeconds: 30 },
} as const;

/** The controller looks every five seconds, and a pod takes time to start. */
const POD_START_SECONDS = 15;

/** How long after a node's death its pods serve on another node. */
export const podsElsewhereSeconds = (timers: FailoverTimers["kubernetes"]): number =>
  timers.nodeSilenceSeconds + timers.podPatienceSeconds + POD_START_SECONDS;
