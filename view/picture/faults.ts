import type { ExpectedFigure, FaultRun, OfferedFault, ViewState } from "./state";

type Breaking = Pick<ViewState, "faults" | "runs" | "holders" | "leaders">;

const dutyOf = ({ holders, leaders }: Breaking, breaks: "holder" | "etcd-leader" | "stack"): readonly string[] => {
  if (breaks === "holder") return holders;
  return breaks === "etcd-leader" && leaders.etcd !== undefined ? [leaders.etcd] : [];
};

/** Machines that a fault may break now; none: it breaks several at once, or it is not known which has the duty. */
export const machinesOf = (view: Breaking, { breaks }: OfferedFault): readonly string[] =>
  typeof breaks === "string" ? dutyOf(view, breaks) : breaks;

/** What can be broken on a machine now, or, without one, on the stack as a whole. */
export const faultsAt = (view: Breaking, machine: string | undefined): readonly OfferedFault[] =>
  view.faults.filter((fault) =>
    machine === undefined ? fault.breaks === "stack" : machinesOf(view, fault).includes(machine),
  );

/** The fault that has not ended. */
export const currentRun = ({ runs }: Pick<ViewState, "runs">): FaultRun | undefined =>
  runs.find(({ phase }) => phase !== "ended");

export interface Expectation {
  readonly figures: readonly ExpectedFigure[];
  /** Where the figures come from; empty: it was not measured. */
  readonly origin: string;
}

/** What is expected of a fault, with the figures of this view, or else the recorded ones. */
export function expectationOf({ runs }: Pick<ViewState, "runs">, fault: OfferedFault): Expectation {
  const last = runs.filter((run) => run.fault === fault.name && run.figures.length > 0).at(-1);
  if (last === undefined) return { figures: fault.expected, origin: fault.origin };
  const figures = fault.expected.map((each) => last.figures.find(({ what }) => what === each.what) ?? each);
  return { figures, origin: "this stack, on this page" };
}

/** What a run does now, or how it has ended, in one sentence. */
export function describeRun({ phase, of, failed, figures }: FaultRun): string {
  if (phase === "preparing") return "The stack is checked, and the requests of the measurement begin.";
  if (phase === "broken") return `The fault is on ${of}, and its effect is measured.`;
  if (phase === "restoring") return "Measured. Machines and links are put back, until the stack is healthy.";
  if (failed !== "") return `${failed[0]?.toUpperCase()}${failed.slice(1)}`;
  return figures.every(({ met }) => met)
    ? "Everything is as expected, and everything is put back."
    : "Everything is put back. Not everything is as expected.";
}
