/** Something about the host that keeps a driver from working. */
export interface HostProblem {
  /** Short stable name, e.g. `nspawn-missing`. */
  readonly id: string;
  readonly problem: string;
  /** What to do, as a sentence or a command. */
  readonly hint: string;
}

/** What is to be known about one thing of a host. A warning does not keep anything from working. */
export interface HostFinding {
  /** Short stable name. */
  readonly id: string;
  readonly state: "ok" | "warning" | "problem";
  readonly text: string;
  /** What to do; for everything that is not ok. */
  readonly hint?: string;
}
