import * as path from "node:path";

/** The folder image/ with its data files, seen from its sources as well as from a bundle in dist/. */
export const imageFolder = path.join(__dirname, "..", "image");

/** Files that a layer lays over the root tree. */
export const layerFilesFolder = (layer: string): string => path.join(imageFolder, "layers", layer);
/** The Go module of a part's version. */
export const goModuleFolder = (part: string, version: string): string =>
  path.join(imageFolder, "parts", "source", part, version);
/** The C and Go sources of pause, the same for every version. */
export const pauseSourceFolder = path.join(imageFolder, "parts", "source", "pause");
