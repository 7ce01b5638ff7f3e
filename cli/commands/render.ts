import * as path from "node:path";
import type { Command } from "commander";
import { renderSeeds } from "../../cloud-init/render-node-seed";
import { writeFileAtomic } from "../../host/file-store";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson } from "../print";
import { readPlan } from "../project";

export function renderCommand(): Command {
  return reportCommand("render", "write the cloud-init seed of every machine, with references instead of secrets")
    .requiredOption("--out <folder>", "folder for <node>/{user-data,meta-data,network-config}")
    .action(async ({ stack, out, json }: ReportOptions & { readonly out: string }) => {
      const files = await writeSeeds(stack, path.resolve(out));
      if (json) printJson(files);
      else print(`${files.length} files in ${path.resolve(out)}`);
    });
}

/** Returns the written files' paths. */
async function writeSeeds(stack: string, folder: string): Promise<readonly string[]> {
  const written: string[] = [];
  for (const seed of renderSeeds(await readPlan(stack))) {
    const texts = { "user-data": seed.userData, "meta-data": seed.metaData, "network-config": seed.networkConfig };
    for (const [name, text] of Object.entries(texts)) {
      const file = path.join(folder, seed.node, name);
      await writeFileAtomic(file, text);
      written.push(file);
    }
  }
  return written;
}
