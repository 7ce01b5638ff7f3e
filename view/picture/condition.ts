import type { CheckView, MachineBox, ViewState } from "./state";
import { leaderships } from "./state";

/** How a machine is, from the rows of health. */
export type MachineCondition = "healthy" | "degraded" | "down" | "silent" | "draining" | "healing" | "asking";

/** What is shown for each: a sign and a word, so that nothing depends on colours. */
export const conditions: Readonly<Record<MachineCondition, { readonly sign: string; readonly word: string }>> = {
  healthy: { sign: "✓", word: "healthy" },
  degraded: { sign: "!", word: "degraded" },
  down: { sign: "✕", word: "down" },
  silent: { sign: "?", word: "no answer" },
  draining: { sign: "↓", word: "draining" },
  healing: { sign: "↻", word: "healing" },
  asking: { sign: "…", word: "asking" },
};

export interface MachineFinding extends Pick<CheckView["findings"][number], "observed" | "state"> {
  readonly check: CheckView;
}

/** Findings about a machine that are not healthy. A finding may be about a machine and something of it, e.g. `master-1 /var`. */
export function findingsOf({ checks }: ViewState, name: string): readonly MachineFinding[] {
  const isAbout = (of: string): boolean => of === name || of.split(/[\s/:]/)[0] === name;
  return checks.flatMap((check) =>
    check.findings
      .filter((finding) => finding.state !== "healthy" && isAbout(finding.of))
      .map(({ observed, state }) => ({ check, observed, state })),
  );
}

export function conditionOf(state: ViewState, { name }: Pick<MachineBox, "name">): MachineCondition {
  const machine = state.machines.find((each) => each.name === name);
  if (state.askedAt === "") return "asking";
  if (machine === undefined || machine.power !== "running") return "down";
  if (state.cordoned.includes(name)) return "draining";
  const found = findingsOf(state, name).filter(({ check }) => check.promised);
  const bad = found.filter(({ state }) => state === "unhealthy");
  if (bad.length > 0) return bad.every(({ check }) => check.check === "heals") ? "healing" : "degraded";
  return found.some(({ check }) => check.check === "services") ? "silent" : "healthy";
}

/** What a machine does that others of its kind do not, in words. */
export function dutiesOf({ holders, leaders, topology }: ViewState, name: string): readonly string[] {
  const words = { etcd: "leads etcd", "kube-scheduler": "schedules", "kube-controller-manager": "controls" };
  const holds = holders.includes(name) ? [`holds ${topology.floatingIp}`] : [];
  return [...holds, ...leaderships.filter((each) => leaders[each] === name).map((each) => words[each])];
}

/** One sentence about a machine, for those who do not see the picture. */
export function describeMachine(state: ViewState, machine: MachineBox): string {
  const condition = conditions[conditionOf(state, machine)].word;
  const duties = dutiesOf(state, machine.name);
  const does = duties.length > 0 ? `; ${duties.join(", ")}` : "";
  return `${machine.name}, ${machine.roles.join(", ")}, ${machine.address}: ${condition}${does}`;
}

const isBad = ({ state }: CheckView): boolean => state === "unhealthy" || state === "unknown";

/**
 * Checks that are not healthy, apart from those that are unknown only because a machine is off: each role's questions would repeat
 * what the row of power tells.
 */
export function problemsOf({ checks, machines }: Pick<ViewState, "checks" | "machines">) {
  const off = new Set(machines.filter(({ power }) => power !== "running").map(({ name }) => name));
  const isConsequence = ({ state, findings }: CheckView): boolean =>
    state === "unknown" && findings.every((finding) => finding.state === "healthy" || off.has(finding.of));
  const bad = checks.filter(isBad);
  return {
    problems: bad.filter((check) => !isConsequence(check)),
    consequences: bad.filter(isConsequence),
    off: [...off],
  };
}
