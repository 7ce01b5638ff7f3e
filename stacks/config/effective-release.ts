import { defaultKubernetesVersion, isKubernetesVersion, type KubernetesVersion } from "../../model/releases";

/** The release of a stack, and what decides about it. */
export interface EffectiveRelease {
  readonly version: KubernetesVersion;
  /** `file`: the stack's file names it; `stack`: the stack exists and runs it; `newest`: the stack is new. */
  readonly from: "file" | "stack" | "newest";
}

/**
 * A new default must not upgrade a stack that exists, so a file without a version means the release that the stack runs.
 *
 * @param named in the stack's file
 * @param kept what the stack runs, if it exists
 * @returns `undefined` if the stack runs a release that this version of groundplane does not have
 */
export function effectiveRelease(
  named: KubernetesVersion | undefined,
  kept: string | undefined,
): EffectiveRelease | undefined {
  if (named !== undefined) return { version: named, from: "file" };
  if (kept === undefined) return { version: defaultKubernetesVersion, from: "newest" };
  return isKubernetesVersion(kept) ? { version: kept, from: "stack" } : undefined;
}
