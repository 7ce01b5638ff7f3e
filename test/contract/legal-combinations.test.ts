/** The programs of the nodes accept what any legal combination of pools, roles and options renders for them. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as fc from "fast-check";
import { renderNodeSeed } from "../../cloud-init/render-node-seed";
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { imageFor } from "../../image/recipes/image-names";
import { defaultKubernetesVersion } from "../../model/releases";
import { imageKindOf } from "../../model/roles";
import { UserError } from "../../model/user-error";
import type { ImageKind } from "../../model/volumes";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { validConfiguration } from "../support/arbitrary-configuration";
import { expectedProofs, layersOf } from "../support/seed-proof/expected-proofs";
import { proveSeed } from "../support/seed-proof/prove-seed";

/** A plan has up to seven kinds of nodes, each of which takes one to two seconds. */
const numRuns = 5;

/** The image that every test has. */
const image = { kubernetesVersion: defaultKubernetesVersion, distribution: "debian" } as const;
const imageOfKind = (kind: ImageKind): string => imageFor(kind, image.kubernetesVersion, "tree", image.distribution);

/** One node of each kind. The others of its pool differ only in name and address. */
const kindsOf = ({ nodes }: DataCenterPlan): readonly NodePlan[] =>
  nodes.filter(({ roles }, index) => nodes.findIndex((other) => `${other.roles}` === `${roles}`) === index);

const notRoot = process.getuid?.() !== 0 && "needs root for mount namespaces";

describe("real programs accept any legal combination", { skip: notRoot }, () => {
  const plans = validConfiguration.map((configuration) => planDataCenter({ ...configuration, ...image }));
  let noImage: string | undefined;

  before(async () => {
    const names = [imageOfKind("infrastructure"), imageOfKind("kubernetes")];
    try {
      await ensureImages(localHost, { names });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      noImage = `the image cannot be had: ${error.problem}`;
    }
  });

  test("of pools, roles and options", (context) => {
    if (noImage) return context.skip(noImage);
    let nodes = 0;
    const proves = fc.property(plans, (plan) => {
      for (const node of kindsOf(plan)) {
        const proven = proveSeed(renderNodeSeed(plan, node), layersOf(imageOfKind(imageKindOf(node.roles))));
        const failed = proven.filter(({ failure }) => failure);
        assert.deepEqual(failed, [], `${node.name} ${JSON.stringify(plan.settings)}`);
        assert.deepEqual(proven.map(({ name }) => name).sort(), expectedProofs(node, plan).sort(), node.name);
        nodes += 1;
      }
    });
    // A smaller example would take as long as the whole test.
    fc.assert(proves, { numRuns, endOnFailure: true });
    context.diagnostic(`${nodes} nodes`);
  });
});
