import * as path from "node:path";

/** This folder with its files that are no code; found from the sources and from the bundle in dist/ alike. */
export const imageFolder = path.join(__dirname, "..", "image");

/** Files that a layer lays over the root tree. */
export const layerFilesFolder = (layer: string): string => path.join(imageFolder, "layers", layer);
/** Go modules and C sources of programs. */
export const programSourceFolder = (part: string): string => path.join(imageFolder, "parts", "source", part);
/** Shell scripts that run while an image is built. */
export const buildScript = (name: string): string => path.join(imageFolder, "scripts", name);
