import assert from "node:assert/strict";
import { addImage, type LayerFiles, useOtherImage } from "../support/other-image";
import type { SmallStack } from "./small-stack";

/** The plan's image is that of a node with a layer more. Returns its name. */
export async function planImage(
  stack: SmallStack,
  mark: string,
  files: LayerFiles,
  node = "worker-1",
): Promise<string> {
  const { image } = (await machineOf(stack, node)).spec;
  const { after } = useOtherImage(
    stack.project,
    mark,
    image.startsWith("kubernetes") ? "kubernetes" : "infrastructure",
  );
  addImage(stack.project, image, after, files);
  return after;
}

export const machineOf = async ({ driver, cluster }: SmallStack, name: string) =>
  (await driver.inspectMachine({ stack: cluster.stack, name })) ?? assert.fail(`no ${name}`);
/** What must not change, and what shows a roll. */
export const seen = (stack: SmallStack, name: string) =>
  machineOf(stack, name).then(({ generation, power, formerImage, spec: { image, uuid, nics } }) => ({
    ...{ generation, power, formerImage, image, uuid, nics },
  }));
