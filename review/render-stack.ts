import { renderSeeds } from "../cloud-init/render-node-seed";
import { imageFor } from "../image/recipes/image-names";
import type { DriverName } from "../model/drivers";
import { imageKindOf } from "../model/roles";
import { describeProblems } from "../stacks/config/describe-problems";
import { readConfigurationFile } from "../stacks/config/read-configuration-file";
import type { NodePlan } from "../stacks/plan/data-center-plan";
import { planDataCenter } from "../stacks/plan/plan-data-center";

/**
 * The complete meaning of a stack's file as data. This file is also bundled with the sources of another revision to render
 * the stack there, so it may use only what every revision has.
 */
export interface StackRendering {
  readonly driver: DriverName | "auto";
  readonly nodes: readonly RenderedNode[];
  /** Shape of the volume; absent without a volume, or in a revision without volumes. */
  readonly volume?: string;
}

export interface RenderedNode extends NodePlan {
  readonly image: string;
  /** The seed of its first boot. */
  readonly firstBoot: string;
  /** The files that follow the plan on a running node. */
  readonly files: readonly { readonly path: string; readonly content: string; readonly reload: string }[];
}

/** The rendering, or the problem of the file. */
export type RenderResult = { readonly rendering: StackRendering } | { readonly problem: string };

/** @param file name of the file in problems */
export function renderStack(text: string, stack: string, file: string): RenderResult {
  const { configuration, problems } = readConfigurationFile(text, { stack });
  if (!configuration) return { problem: describeProblems(problems ?? [], file) };
  const plan = planDataCenter(configuration);
  const seeds = renderSeeds(plan);
  const nodes = plan.nodes.map((node, index): RenderedNode => {
    const seed = seeds[index];
    if (!seed) throw new Error(`${node.name} has no seed`);
    const { userData, metaData, networkConfig, files } = seed;
    // Whatever form a driver boots: it is the same on both sides of a comparison.
    const image = imageFor(imageKindOf(node.roles), plan.kubernetes.version, "tree");
    return { ...node, image, firstBoot: [metaData, networkConfig, userData].join("\n"), files };
  });
  const volume = plan.volume?.shape;
  return { rendering: { driver: configuration.driver, nodes, ...(volume === undefined ? {} : { volume }) } };
}
