import * as path from "node:path";
import { localHost } from "../host/local-host";

/** The file that a user names, or the one with the default name in the folder that they name; default: the current folder. */
export async function targetFile(given: string | undefined, name: string): Promise<string> {
  const target = path.resolve(given ?? name);
  const isFolder = given !== undefined && (await localHost.trees.entry(target))?.kind === "folder";
  return isFolder ? path.join(target, name) : target;
}
