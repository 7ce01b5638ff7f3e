/**
 * Records the digests of all layers' files for their recipes: run `npx tsx image/entry/record-layers.ts` after a change
 * below image/layers. Recipes contain digests instead of files, so that an image's name is known without reading a disk.
 */
import * as path from "node:path";
import { localHost } from "../../host/local-host";
import { layerFilesDigest } from "../build/layer";
import { imageFolder } from "../image-files";
import recorded from "../recipes/layer-digests.json";

async function record(): Promise<void> {
  const digests: Record<string, string> = {};
  for (const layer of Object.keys(recorded)) digests[layer] = await layerFilesDigest(localHost, layer);
  const file = path.join(imageFolder, "recipes", "layer-digests.json");
  await localHost.files.writeAtomic(file, `${JSON.stringify(digests, null, 2)}\n`);
}

void record();
