import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { toolsFolder } from "../host/data-folder";
import { exists, readIfPresent, writeFileAtomic } from "../host/file-store";
import { UserError } from "../model/user-error";

/**
 * Our own language host and command plugin are started through launchers outside the project. Several clones of it
 * share one data folder, and any of them may be moved: launchers point to copies there, named after their content.
 */
export type StandIn = "language-host" | "command-plugin";

const BUNDLES = path.join(__dirname, "..", "dist");

/** Copies the built stand-in into the data folder; gives the copy's path, which is a different one for other content. */
export async function keepStandIn(name: StandIn): Promise<string> {
  const bundle = await fs.readFile(path.join(BUNDLES, `${name}.js`)).catch((cause) => {
    throw new UserError("not-built", `dist/${name}.js is missing`, "npm run build", { cause });
  });
  const digest = createHash("sha256").update(bundle).digest("hex").slice(0, 16);
  await fs.mkdir(toolsFolder(), { recursive: true });
  // Data folders may share their tools by symbolic link, and a launcher must outlast the folder that wrote it.
  const copy = path.join(await fs.realpath(toolsFolder()), `${name}-${digest}.js`);
  if (!(await exists(copy))) await writeFileAtomic(copy, bundle);
  return copy;
}

/** The text of a program that runs a kept stand-in. */
export const launcher = (script: string): string => `#!/bin/sh\nexec node '${script.replaceAll("'", "'\\''")}' "$@"\n`;

/** Puts our language host beside a built `pulumi`: there, and only there, the engine takes it without a warning. */
export async function installLanguageHost(binFolder: string): Promise<void> {
  const file = path.join(binFolder, "pulumi-language-nodejs");
  const text = launcher(await keepStandIn("language-host"));
  if ((await readIfPresent(file)) !== text) await writeFileAtomic(file, text, 0o755);
}
