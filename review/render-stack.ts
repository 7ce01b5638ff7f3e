import { clusterObjects } from "../cloud-init/files/kubernetes/cluster-objects";
import { renderSeeds } from "../cloud-init/render-node-seed";
import { imageFor } from "../image/recipes/image-names";
import { byName } from "../model/cluster-object";
import type { DistributionName } from "../model/distributions";
import type { DriverName, ImageForm } from "../model/drivers";
import type { UplinkSpec } from "../model/hypervisor-objects";
import {
  type PackageLock,
  type PackageVersions,
  packageLockFile,
  packagesIn,
  parsePackageLock,
  versionsOf,
} from "../model/package-lock";
import type { Settings } from "../model/resource-types";
import { imageKindOf } from "../model/roles";
import { UserError } from "../model/user-error";
import type { ImageKind } from "../model/volumes";
import type { Configuration } from "../stacks/config/configuration";
import { describeProblems } from "../stacks/config/describe-problems";
import type { EffectiveRelease } from "../stacks/config/effective-release";
import { readConfigurationFile } from "../stacks/config/read-configuration-file";
import type { NodePlan } from "../stacks/plan/data-center-plan";
import { planDataCenter } from "../stacks/plan/plan-data-center";
import { uplinkOf } from "../stacks/plan/plan-uplink";
import { type ObjectTexts, textsOf } from "./object-changes";

/**
 * The complete meaning of a stack's file as data. Later revisions bundle this file, as it is here, to render the stack
 * with this revision: see revision.ts.
 */
export interface StackRendering {
  readonly driver: DriverName | "auto";
  /** Absent in the renderings of earlier revisions, whose images are Debian's. */
  readonly distribution?: DistributionName;
  readonly nodes: readonly RenderedNode[];
  /** Shape of the volume; absent without a volume, or in a revision without volumes. */
  readonly volume?: string;
  /** The data centre's own objects in the cluster. Absent in the renderings of earlier revisions. */
  readonly objects?: ObjectTexts;
  /** Versions by package, from the package lock. Absent without one, and in the renderings of earlier revisions. */
  readonly packages?: PackageVersions;
  /** The configuration as it takes effect, by path. Absent in the renderings of earlier revisions. */
  readonly settings?: Settings;
  /** What decides about the release. Absent in the renderings of earlier revisions. */
  readonly release?: EffectiveRelease;
}

export interface RenderedNode extends NodePlan {
  /** The names of its image by form. Earlier revisions give only the tree. */
  readonly images: Readonly<Partial<Record<ImageForm, string>>>;
  /** Of the gateway. Absent in the renderings of earlier revisions. */
  readonly uplink?: UplinkSpec;
  /** The seed of its first boot. */
  readonly firstBoot: string;
  /** The files that follow the plan on a running node. */
  readonly files: readonly { readonly path: string; readonly content: string; readonly reload: string }[];
}

/** The rendering, or the problem of the file. */
export type RenderResult = { readonly rendering: StackRendering } | { readonly problem: string };

/**
 * @param file name of the file in problems
 * @param lock text of the stack's package lock, if it has one
 * @param keptRelease what the stack runs, if it exists
 */
export function renderStack(
  text: string,
  stack: string,
  file: string,
  lock?: string,
  keptRelease?: string,
): RenderResult {
  const { configuration, release, problems } = readConfigurationFile(text, { stack, keptRelease });
  if (!configuration) return { problem: describeProblems(problems ?? [], file) };
  try {
    const packageLock = lock === undefined ? undefined : parsePackageLock(lock, packageLockFile(stack));
    return { rendering: { ...render(configuration, packageLock), release } };
  } catch (error) {
    if (error instanceof UserError && error.id === "package-lock") return { problem: error.message };
    throw error;
  }
}

function render(configuration: Configuration, packageLock: PackageLock | undefined): StackRendering {
  const plan = planDataCenter(configuration);
  const { version, runtime } = plan.kubernetes;
  const namesOf = (form: ImageForm) => {
    const nameOf = (kind: ImageKind) => imageFor(kind, version, form, plan.distribution, runtime, packageLock);
    return { infrastructure: nameOf("infrastructure"), kubernetes: nameOf("kubernetes") };
  };
  const names = { tree: namesOf("tree"), disk: namesOf("disk") };
  const seeds = renderSeeds(plan);
  const nodes = plan.nodes.map((node, index): RenderedNode => {
    const seed = seeds[index];
    if (!seed) throw new Error(`${node.name} has no seed`);
    const { userData, metaData, networkConfig, files } = seed;
    const kind = imageKindOf(node.roles);
    return {
      ...node,
      images: { tree: names.tree[kind], disk: names.disk[kind] },
      ...(node.roles.includes("gateway") && { uplink: uplinkOf(plan) }),
      firstBoot: [metaData, networkConfig, userData].join("\n"),
      files,
    };
  });
  const { driver, distribution } = configuration;
  const volume = plan.volume?.shape;
  const objects = textsOf(byName(clusterObjects(plan)));
  const { settings } = plan;
  return {
    ...{ driver, distribution, nodes, objects, settings },
    ...(volume !== undefined && { volume }),
    ...(packageLock && { packages: versionsOf(packagesIn(packageLock)) }),
  };
}
