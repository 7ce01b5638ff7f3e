import type { FaultReport, MeasureResult } from "../../model/contract-report";
import type { FaultListener, FaultParts } from "../../view/fault-runs";
import type { ChosenFault } from "../../view/offered-faults";
import { offeredFaults } from "../../view/offered-faults";
import type { ScriptedStack } from "./scripted-stack";

/** Faults of a scripted stack: the machine loses its power, and the figures are given. */
export class ScriptedFaults implements FaultParts {
  readonly offered;
  /** Why no fault may be injected. */
  reason = "";
  /** Faults whose stack was restored. */
  readonly restored: string[] = [];
  readonly injected: ChosenFault[] = [];
  /** A fault ends after it. */
  held: Promise<unknown> = Promise.resolve();
  /** What a fault measures, in ms. */
  measuredMs = 846;

  constructor(private readonly stack: ScriptedStack) {
    this.offered = offeredFaults(stack.plan);
  }

  readonly refused = async (): Promise<string> => this.reason;

  readonly run = async (chosen: ChosenFault, signal: AbortSignal, listener: FaultListener): Promise<FaultReport> => {
    const { fault, machine = this.stack.holder ?? "" } = chosen;
    this.injected.push(chosen);
    try {
      listener.onBroken(machine);
      this.stack.kill(machine);
      await Promise.race([this.held, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
      signal.throwIfAborted();
    } finally {
      listener.onRestoring();
      this.stack.start(machine);
      this.restored.push(fault.name);
    }
    const results = fault.measures(this.stack.plan).map((measure): MeasureResult => {
      const max = measure.unit === "ms" ? this.measuredMs : 0;
      const met = measure.target === undefined ? undefined : max <= measure.target;
      return { ...measure, fault: fault.name, rounds: 1, p50: max, p95: max, max, met };
    });
    return { name: fault.name, what: fault.what, results };
  };
}
