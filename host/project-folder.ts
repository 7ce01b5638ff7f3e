import * as fs from "node:fs";
import * as path from "node:path";

/** The folder of groundplane itself. Works from a source file at any depth and from a bundle in dist/. */
export function projectFolder(from: string = __dirname): string {
  if (fs.existsSync(path.join(from, "Pulumi.yaml")) && fs.existsSync(path.join(from, "package.json"))) return from;
  const above = path.dirname(from);
  if (above === from) throw new Error("groundplane's own folder is not above its program files");
  return projectFolder(above);
}

/** The file with a stack's configuration, relative to that folder. */
export const stackFile = (stack: string): string => path.join("stacks", `Pulumi.${stack}.yaml`);
