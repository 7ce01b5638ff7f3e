import type { PreviewStep } from "./preview-steps";

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

/** Workers that get the image at the same time. */
export function othersOfTurn(step: PreviewStep | undefined): { readonly alongside?: readonly string[] } {
  const alongside = step?.newState?.inputs?.alongside;
  return Array.isArray(alongside) ? { alongside: alongside.map(String) } : {};
}
