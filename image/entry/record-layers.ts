/**
 * Records the digests of all layers' files, and of what is changed in Go modules, for their recipes: run
 * `npx tsx image/entry/record-layers.ts` after a change below image/layers or image/parts/source, or in
 * image/parts/go-builds.ts. Recipes contain digests instead of files, so that an image's name is known without reading
 * a disk.
 */
import * as path from "node:path";
import { localHost } from "../../host/local-host";
import { kubernetesVersions } from "../../model/releases";
import { layerFilesDigest } from "../build/layer";
import { imageFolder } from "../image-files";
import { changesDigest } from "../parts/program-source";
import { changesKey, kubernetesRecipe } from "../recipes/kubernetes";
import recorded from "../recipes/layer-digests.json";

async function record(): Promise<void> {
  const layers: Record<string, string> = {};
  for (const layer of Object.keys(recorded)) layers[layer] = await layerFilesDigest(localHost, layer);
  await write("layer-digests.json", layers);
  const changes: Record<string, string> = {};
  for (const part of kubernetesVersions.flatMap((version) => kubernetesRecipe(version).parts)) {
    const digest = await changesDigest(localHost, part);
    if (digest !== undefined) changes[changesKey(part.name, part.version)] = digest;
  }
  await write("change-digests.json", changes);
}

const write = (name: string, digests: Readonly<Record<string, string>>): Promise<void> =>
  localHost.files.writeAtomic(path.join(imageFolder, "recipes", name), `${JSON.stringify(digests, null, 2)}\n`);

void record();
