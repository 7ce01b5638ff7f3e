/**
 * Records the digests of all layers' files for their recipes: run `npx tsx image/entry/record-layers.ts` after a change
 * below image/layers. Recipes contain digests instead of files, so that an image's name is known without reading a disk.
 */
import * as path from "node:path";
import { writeFileAtomic } from "../../host/file-store";
import { layerFilesDigest } from "../build/layer";
import recorded from "../recipes/layer-digests.json";

const digests = Object.fromEntries(Object.keys(recorded).map((layer) => [layer, layerFilesDigest(layer)]));
const file = path.join(__dirname, "recipes", "layer-digests.json");
void writeFileAtomic(file, `${JSON.stringify(digests, null, 2)}\n`);
