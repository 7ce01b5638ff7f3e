import {
  describeRoll,
  describeTotal,
  figuresOfRoll,
  type RecordedRolls,
  type RollFigures,
} from "../../model/measured/roll-figures";
import type { NodeImageInputs } from "../../model/node-image-types";

/**
 * The nodes whose exchange this preview has planned. Each resource is previewed after those that precede it in the roll, so the last one
 * knows the time of all.
 */
export class PreviewedRolls {
  private readonly stacks = new Map<string, Map<string, RollFigures>>();

  constructor(private readonly bench?: RecordedRolls) {}

  /** The measured time and gap of this node, and the time of it and all nodes before it. */
  describe(inputs: NodeImageInputs, isUpgrade: boolean): string {
    const nodes = this.stacks.get(inputs.stack) ?? new Map<string, RollFigures>();
    this.stacks.set(inputs.stack, nodes);
    const figures = figuresOfRoll(inputs, this.bench);
    nodes.set(inputs.node, figures);
    const text = `Its exchange${isUpgrade ? ", measured within a release" : ""}: ${describeRoll(figures)}`;
    if (nodes.size < 2) return text;
    return `${text}; with the ${nodes.size - 1} before it: ${describeTotal([...nodes.values()])}`;
  }
}
