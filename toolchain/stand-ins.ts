import { createHash } from "node:crypto";
import * as path from "node:path";
import { toolsFolder } from "../host/data-folder";
import { exists, makeFolder, readBytes, readIfPresent, realPath, stampFile, writeFileAtomic } from "../host/file-store";
import { UserError } from "../model/user-error";

/**
 * Launchers outside the project start our own language host and command plugin. Several clones of the project share one
 * data folder, and any of them may move: launchers point to copies in the data folder, named after their content.
 */
export type StandIn = "language-host" | "command-plugin";

const BUNDLES = path.join(__dirname, "..", "dist");

/** Copies the built stand-in into the data folder. Returns the copy's path, which depends on its content. */
export async function keepStandIn(name: StandIn): Promise<string> {
  const bundle = await readBytes(path.join(BUNDLES, `${name}.js`));
  if (!bundle) throw new UserError("not-built", `dist/${name}.js is missing`, "npm run build");
  const digest = createHash("sha256").update(bundle).digest("hex").slice(0, 16);
  if (!(await exists(toolsFolder()))) await makeFolder(toolsFolder());
  // Data folders may share their tools by symbolic link, and a launcher must outlive the folder that wrote it.
  const tools = (await realPath(toolsFolder())) ?? toolsFolder();
  const copy = path.join(tools, `${name}-${digest}.js`);
  if (!(await exists(copy))) await writeFileAtomic(copy, bundle);
  return copy;
}

/** The text of a program that runs a kept stand-in. */
export const launcher = (script: string): string => `#!/bin/sh\nexec node '${script.replaceAll("'", "'\\''")}' "$@"\n`;

/** Whether a program is the launcher of a stand-in: a few lines of shell, whereas official programs are large binaries. */
export async function isStandIn(file: string, name: StandIn): Promise<boolean> {
  const stamp = await stampFile(file);
  if (stamp === undefined || stamp.bytes >= 4096) return false;
  const text = (await readIfPresent(file)) ?? "";
  return text.startsWith("#!/bin/sh\nexec node '") && text.includes(`/${name}-`);
}

/** Puts our language host beside a built `pulumi`: only from there does the engine accept it without a warning. */
export async function installLanguageHost(binFolder: string): Promise<void> {
  const file = path.join(binFolder, "pulumi-language-nodejs");
  const text = launcher(await keepStandIn("language-host"));
  if ((await readIfPresent(file)) !== text) await writeFileAtomic(file, text, 0o755);
}
