import * as path from "node:path";

/** This folder with its files that are no code; found from the sources and from the bundle in dist/ alike. */
export const imageFolder = path.join(__dirname, "..", "image");

/** Files that a layer lays over the root tree. */
export const layerFilesFolder = (layer: string): string => path.join(imageFolder, "layers", layer);
/** The Go module of a part's version. */
export const goModuleFolder = (part: string, version: string): string =>
  path.join(imageFolder, "parts", "source", part, version);
/** The C and Go sources of pause, the same for every version. */
export const pauseSourceFolder = path.join(imageFolder, "parts", "source", "pause");
/** Shell scripts that run while an image is built. */
export const buildScript = (name: string): string => path.join(imageFolder, "scripts", name);
