import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { localHost } from "../../host/local-host";
import { allSources, chooseSource } from "../../image/parts/ensure-part";
import { partName } from "../../image/parts/part";
import { kubernetesRecipe } from "../../image/recipes/kubernetes";
import { defaultKubernetesVersion } from "../../model/releases";

/** Why this host cannot build Docker's image, as test/allowed-skips.cjs has it; undefined = it can, or it has the part. */
export async function missingDockerPart(): Promise<string | undefined> {
  const recipe = kubernetesRecipe(defaultKubernetesVersion, "docker").parts.find(({ name }) => name === "cri-dockerd");
  assert.ok(recipe);
  const part = { kind: "programs", recipe } as const;
  if (fs.existsSync(path.join(localHost.folders.parts(), partName(part), "seal.json"))) return undefined;
  const source = await chooseSource(part, allSources(localHost)).catch(() => undefined);
  return source === undefined ? "there is no source for cri-dockerd" : undefined;
}
