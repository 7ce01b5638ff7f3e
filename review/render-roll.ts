import { inRollOrder } from "../model/image-rolls";
import { describeRoll, describeTotal } from "../model/measured/roll-figures";
import type { NodeReview, Review, RollReview } from "./review";

/** Consecutive turns with the same figures. */
interface Step {
  readonly turns: string[];
  readonly figures: string;
}

/** The nodes that get another image, in order, with the measured time and gap of each; empty if there are none. */
export function renderRoll(nodes: readonly NodeReview[], roll: Review["roll"]): string {
  const rolled = inRollOrder(nodes.filter(({ action }) => action === "roll"));
  if (rolled.length === 0 || roll === undefined) return "";
  const steps = stepsOf(rolled);
  const isSingle = rolled.length === 1;
  const lines = steps.map(({ turns, figures }, index) => {
    const each = turns.length > 1 ? "each " : "";
    return `${index + 1}. ${turns.join(", ")}: ${each}${figures}\n`;
  });
  const head = isSingle
    ? "This node gets another image"
    : `These nodes get another image${inTurns(rolled)} in this order`;
  return `\n${head}:\n\n${lines.join("")}\n${totalOf(rolled, roll)}`;
}

const inTurns = (rolled: readonly NodeReview[]): string => (rolled.some(isNext) ? "" : ", one after the other,");

/** It changes at the same time as the one before it. */
function isNext({ node }: NodeReview, position: number, rolled: readonly NodeReview[]): boolean {
  return position > 0 && (rolled[position - 1]?.alongside ?? []).includes(node);
}

function stepsOf(rolled: readonly NodeReview[]): readonly Step[] {
  const steps: Step[] = [];
  for (const [position, { node, figures = {} }] of rolled.entries()) {
    const last = steps.at(-1);
    const text = describeRoll(figures);
    const name = `\`${node}\``;
    if (last?.figures !== text) steps.push({ turns: [name], figures: text });
    else if (isNext(rolled[position] as NodeReview, position, rolled))
      last.turns.push(`${last.turns.pop()} with ${name}`);
    else last.turns.push(name);
  }
  return steps;
}

function totalOf(rolled: readonly NodeReview[], { upgrade }: RollReview): string {
  const figures = rolled.flatMap((node) => node.figures ?? []);
  const isMeasured = figures.some(({ duration, gap }) => (duration ?? gap) !== undefined);
  const origin = isMeasured
    ? "Measured in system containers of `lab` and `small`, with an image of the same release."
    : [];
  const whole =
    upgrade === undefined
      ? []
      : `An upgrade takes more than its nodes; that of \`lab\` in system containers: ${describeRoll(upgrade)}.`;
  return `${[`In total: ${describeTotal(figures)}.`, origin, whole].flat().join(" ")}\n`;
}
