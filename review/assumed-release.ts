import { defaultKubernetesVersion } from "../model/releases";
import type { StackRendering } from "./render-stack";

/**
 * What a comparison of two revisions assumes about the release of the stack, which no revision knows where the file names none.
 *
 * @param now rendered with the release of the base, as a stack that the base created keeps it
 */
export function assumedRelease(now: StackRendering, base: string): string | undefined {
  if (now.release === undefined || now.release.from === "file") return undefined;
  const { version } = now.release;
  const ofNew =
    version === defaultKubernetesVersion ? "" : ` A new stack gets ${defaultKubernetesVersion} with this revision.`;
  return (
    `The file names no \`kubernetesVersion\`: a stack that exists keeps its release. This comparison assumes Kubernetes ${version}, ` +
    `which \`${base}\` gives the stack.${ofNew}`
  );
}
