import assert from "node:assert/strict";
import { addImage, type LayerFiles, useOtherImage } from "../support/other-image";
import type { SmallStack } from "./small-stack";

type ImagedStack = Pick<SmallStack, "driver" | "cluster">;

/** The plan's image is that of a node with a layer more. Returns its name. */
export async function planImage(
  stack: ImagedStack,
  mark: string,
  files: LayerFiles,
  node = "worker-1",
): Promise<string> {
  const { image } = (await machineOf(stack, node)).spec;
  const { project } = stack.cluster;
  const { after } = useOtherImage(
    project,
    mark,
    image.startsWith("kubernetes") ? "kubernetes" : "infrastructure",
    image,
  );
  addImage(project, image, after, files);
  return after;
}

export const machineOf = async ({ driver, cluster }: ImagedStack, name: string) =>
  (await driver.inspectMachine({ stack: cluster.stack, name })) ?? assert.fail(`no ${name}`);
/** What must not change, and what shows a roll. */
export const seen = (stack: ImagedStack, name: string) =>
  machineOf(stack, name).then(({ generation, power, formerImage, spec: { image, uuid, nics } }) => ({
    ...{ generation, power, formerImage, image, uuid, nics },
  }));
