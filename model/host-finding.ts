import { withoutCredentials } from "./user-error";

/** Something about the host that keeps a driver from working. */
export interface HostProblem {
  /** Short stable name, e.g. `nspawn-missing`. */
  readonly id: string;
  readonly problem: string;
  /** What to do, as a sentence or a command. */
  readonly hint: string;
}

/** The result of checking one thing about a host. A warning keeps nothing from working. */
export interface HostFinding {
  /** Short stable name. */
  readonly id: string;
  readonly state: "ok" | "warning" | "problem";
  readonly text: string;
  /** What to do; for everything that is not ok. */
  readonly hint?: string;
}

export const ok = (id: string, text: string): HostFinding => ({ id, state: "ok", text: withoutCredentials(text) });

export const warning = (id: string, text: string, hint: string): HostFinding => found(id, "warning", text, hint);

export const problem = (id: string, text: string, hint: string): HostFinding => found(id, "problem", text, hint);

const found = (id: string, state: HostFinding["state"], text: string, hint: string): HostFinding => ({
  ...{ id, state },
  ...{ text: withoutCredentials(text), hint: withoutCredentials(hint) },
});
