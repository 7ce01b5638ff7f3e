import { changedSettings } from "./changed-settings";
import type { ContainerRuntimeName } from "./container-runtimes";
import { type DriverName, featuresOf } from "./drivers";
import { type CountOf, reasonToKeepImage } from "./image-rolls";
import { refusedSettings } from "./refused-settings";
import { newestAfter } from "./release-changes";
import type { Settings } from "./resource-types";
import { imageKindOf, type Role } from "./roles";

const runtimes: Readonly<Record<ContainerRuntimeName, string | undefined>> = {
  containerd: undefined,
  docker: "container images of another release cannot be copied between Docker Engines yet",
};

/**
 * Why a node cannot get the image of another release; `undefined`: it can, or its image has no Kubernetes. All of them must: a cluster
 * with nodes of two releases is none that stays.
 */
export function reasonToKeepRelease(
  roles: readonly Role[],
  countOf: CountOf,
  driver: DriverName | "auto",
  runtime: ContainerRuntimeName,
): string | undefined {
  if (imageKindOf(roles) !== "kubernetes") return undefined;
  // Reported for the drivers on which more happens.
  const isTested = driver === "auto" || featuresOf(driver).upgrades;
  const ofDriver = isTested ? undefined : `no test has upgraded a cluster of machines of the driver ${driver} yet`;
  const ofGateway = roles.includes("gateway")
    ? "no test has upgraded a gateway with a part of the cluster yet"
    : undefined;
  return reasonToKeepImage(roles, countOf, driver) ?? ofDriver ?? ofGateway ?? runtimes[runtime];
}

/** The nodes that cannot get the image of another release, with their reasons. */
export function keptReleases(
  nodes: readonly { readonly name: string; readonly roles: readonly Role[] }[],
  countOf: CountOf,
  driver: DriverName | "auto",
  runtime: ContainerRuntimeName,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    nodes.flatMap(({ name, roles }) => {
      const reason = reasonToKeepRelease(roles, countOf, driver, runtime);
      return reason === undefined ? [] : [[name, reason] as const];
    }),
  );
}

/** Why the settings of a running stack cannot change so; empty if they can. @param kept see `keptReleases` */
export function refusedChange(
  before: Settings,
  after: Settings,
  kept: Readonly<Record<string, string>>,
): readonly string[] {
  const fixed = refusedSettings(before, after);
  return fixed.length > 0 ? fixed : refusedUpgrade(before, after, kept);
}

const key = "kubernetesVersion";

/** What every stack can do, with an outage. */
const throughBackup = (version: string): string =>
  "move the cluster with an outage: `npx groundplane backup FILE`, `npx groundplane destroy`, and with " +
  `${key}: ${version} \`npx groundplane restore FILE\``;

/**
 * Why a stack cannot move to another release as a whole, besides the versions themselves; empty if it can.
 *
 * @param kept the nodes that cannot follow, with their reasons
 */
export function refusedUpgrade(
  before: Settings,
  after: Settings,
  kept: Readonly<Record<string, string>>,
): readonly string[] {
  const [old, now] = [before[key], after[key]];
  if (old === undefined || now === undefined || old === now) return [];
  const refuse = (why: string, way: string): string => `${key}: ${old} cannot become ${now}: ${why}. ${way}`;
  const nodes = Object.entries(kept);
  if (nodes.length > 0) {
    const reasons = [...new Set(nodes.map(([, reason]) => reason))].map((reason) => {
      const names = nodes.flatMap(([name, other]) => (other === reason ? [name] : []));
      return `${names.join(", ")} would keep the former release, because ${reason}`;
    });
    return [refuse(reasons.join("; "), `Set ${key} to ${old} again, or ${throughBackup(now)}`)];
  }
  const others = changedSettings(before, after).flatMap((change) => (change.key === key ? [] : change.key));
  if (others.length === 0) return [];
  // New machines have the new release at once, and must not precede the control plane.
  const first = `First run \`up\` with ${key}: ${old}, then with ${now}`;
  return [refuse(`a release is changed alone, and ${others.join(", ")} would change with it`, first)];
}

/**
 * What a preview says about a stack that keeps its release because its file names none; `undefined` if it runs the newest that it can
 * move to.
 *
 * @param kept see `keptReleases`
 */
export function newerRelease(version: string, kept: Readonly<Record<string, string>>): string | undefined {
  const next = newestAfter(version);
  if (next === undefined) return undefined;
  const way =
    Object.keys(kept).length === 0
      ? `set ${key}: ${next}, build its images (\`npx groundplane image build\`) and run \`up\``
      : `not all of its nodes can get it while the stack runs; ${throughBackup(next)}`;
  return `The stack's file names no ${key}, so the stack keeps Kubernetes ${version}. ${next} is available: ${way}.`;
}
