import { rollTurns } from "../model/image-rolls";
import { unlikeMeasured } from "../model/measured/unlike-measured";
import { imageKindOf } from "../model/roles";
import type { PreviewStep } from "./preview-steps";
import type { RenderedNode, StackRendering } from "./render-stack";
import type { NodeChange } from "./review";

type RollFacts = Pick<NodeChange, "alongside" | "unlike" | "isUpgrade">;

/** The images in the reason that `imageRoll` gives, and in that of a comparison of two revisions. */
export function imagesOfRoll(reason: string): { readonly before: string; readonly after: string } | undefined {
  const [, before, after] = /^image: (\S+) -> (\S+)$/.exec(reason) ?? [];
  return before === undefined || after === undefined ? undefined : { before, after };
}

/**
 * The image that a node moves to, as `image: A -> B`. A stack of an earlier version has no record of its nodes' images: there the
 * machine says what it has.
 *
 * @param machine any step of the node's machine
 */
export function imageRoll(step: PreviewStep | undefined, machine: PreviewStep | undefined): string | undefined {
  const inputs = step?.newState?.inputs;
  if (step === undefined || inputs === undefined || inputs.keeps !== undefined) return undefined;
  const standing = step.op === "create" ? machine : step;
  const before = standing?.oldState?.inputs?.image;
  if (before !== undefined && before !== inputs.image) return `image: ${before} -> ${inputs.image}`;
  const isInterrupted = step.op === "update" && step.oldState?.inputs?.settled === false;
  return isInterrupted ? `image: ${inputs.image}, interrupted before` : undefined;
}

/** Workers that get the image at the same time, and what the measured figures do not hold for. */
export function factsOfRoll(step: PreviewStep | undefined): RollFacts {
  const { alongside, unlike, release } = step?.newState?.inputs ?? {};
  const former = step?.oldState?.inputs?.release;
  return {
    ...(Array.isArray(alongside) && { alongside: alongside.map(String) }),
    ...(unlike !== undefined && { unlike: String(unlike) }),
    ...(former !== undefined && release !== undefined && former !== release && { isUpgrade: true }),
  };
}

/** The same for two revisions. */
export function rollsBetween(
  before: StackRendering | undefined,
  after: StackRendering,
): (node: RenderedNode) => RollFacts {
  const settings = after.settings ?? {};
  const turns = rollTurns(after.nodes, Number(settings["pools.workers.maxUnavailable"] ?? 1));
  const [former, now] = [before?.settings, settings].map((one) => one?.kubernetesVersion);
  const isUpgrade = former !== undefined && former !== now;
  return (node) => {
    const alongside = turns.find((turn) => turn.includes(node))?.flatMap((one) => (one === node ? [] : one.name)) ?? [];
    const unlike = unlikeMeasured(node.roles, after.driver, settings);
    return {
      ...(alongside.length > 0 && { alongside }),
      ...(unlike !== undefined && { unlike }),
      ...(isUpgrade && imageKindOf(node.roles) === "kubernetes" && { isUpgrade }),
    };
  };
}
