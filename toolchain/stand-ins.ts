import { createHash } from "node:crypto";
import * as path from "node:path";
import { pulumiHomeFolder, toolsFolder } from "../host/data-folder";
import {
  exists,
  listFolder,
  makeFolder,
  readBytes,
  readIfPresent,
  realPath,
  removeTree,
  stampFile,
  writeFileAtomic,
} from "../host/file-store";
import { lastUse, markUsed } from "../host/file-uses";
import { findProcesses } from "../host/process-table";
import { UserError } from "../model/user-error";

/**
 * Launchers outside the project start our own language host and command plugin. Several clones of the project share one
 * data folder, and any of them may move: launchers point to copies in the data folder, named after their content.
 */
export type StandIn = "language-host" | "command-plugin";

const BUNDLES = path.join(__dirname, "..", "dist");
/** Copies of other builds are kept for clones and data folders that share the tools: the newest ones, and for some days. */
const NEWEST_KEPT = 3;
const UNUSED_DAYS = 7;
const DAY_MS = 86_400_000;

/** What this checkout has built. */
export const bundleOf = (name: StandIn): string => path.join(BUNDLES, `${name}.js`);

/** Copies the built stand-in into the data folder. Returns the copy's path, which depends on its content. */
export async function keepStandIn(name: StandIn): Promise<string> {
  const bundle = await readBytes(bundleOf(name));
  if (!bundle) throw new UserError("not-built", `dist/${name}.js is missing`, "npm run build");
  const digest = createHash("sha256").update(bundle).digest("hex").slice(0, 16);
  if (!(await exists(toolsFolder()))) await makeFolder(toolsFolder());
  // Data folders may share their tools by symbolic link, and a launcher must outlive the folder that wrote it.
  const tools = (await realPath(toolsFolder())) ?? toolsFolder();
  const copy = path.join(tools, `${name}-${digest}.js`);
  if (!(await markUsed(copy))) await writeFileAtomic(copy, bundle);
  await pruneStandIns(tools, name, copy);
  return copy;
}

/** Removes copies of earlier builds that no launcher or process uses. */
async function pruneStandIns(tools: string, name: StandIn, current: string): Promise<void> {
  const uses = (await standInCopies(tools)).filter((copy) => copy.name === name);
  const oldest = Date.now() - UNUSED_DAYS * DAY_MS;
  const old = uses
    .sort((one, other) => other.used - one.used)
    .slice(NEWEST_KEPT)
    .filter(({ copy, used }) => copy !== current && used < oldest);
  if (old.length === 0) return;
  const usersOf = await standInUsers(tools);
  for (const { copy } of old) {
    if ((await usersOf(copy)).length > 0) continue;
    // Of another user, for example: a copy too many does no harm.
    await removeTree(copy).catch(() => {});
  }
}

export interface StandInCopy {
  readonly name: StandIn;
  readonly copy: string;
  /** ms since 1970 */
  readonly used: number;
}

/** Every copy in a folder of tools. */
export async function standInCopies(tools: string): Promise<readonly StandInCopy[]> {
  const found = (await listFolder(tools)).flatMap((file) => {
    const name = /^(language-host|command-plugin)-[0-9a-f]{16}\.js$/.exec(file)?.[1] as StandIn | undefined;
    return name ? [{ name, copy: path.join(tools, file) }] : [];
  });
  return Promise.all(found.map(async (each) => ({ ...each, used: (await lastUse(each.copy)) ?? 0 })));
}

/** Finds what uses a copy: a launcher, a process. */
export async function standInUsers(tools: string): Promise<(copy: string) => Promise<readonly string[]>> {
  const launchers = await launcherTexts(tools);
  return async (copy) => [
    ...(launchers.some((text) => text.includes(path.basename(copy))) ? ["a launcher"] : []),
    ...((await isRunning(copy)) ? ["a running process"] : []),
  ];
}

/** Without a table of processes, as on macOS, only the age counts. A running program has read its file already. */
const isRunning = (copy: string): Promise<boolean> =>
  findProcesses((argv) => argv.includes(copy)).then(
    (found) => found.length > 0,
    () => false,
  );

/** The launchers of this data folder, including those of other versions of Pulumi and of the plugin. */
async function launcherTexts(tools: string): Promise<readonly string[]> {
  const plugins = path.join(pulumiHomeFolder(), "plugins");
  const files = [
    ...(await listFolder(tools)).map((folder) => path.join(tools, folder, "bin", "pulumi-language-nodejs")),
    ...(await listFolder(plugins)).map((folder) => path.join(plugins, folder, "pulumi-resource-command")),
  ];
  const texts = await Promise.all(files.map(readLauncher));
  return texts.filter((text) => text !== undefined);
}

const LAUNCHER_BYTES = 4096;

/** The text of a file that may be a launcher: official programs are large binaries. */
async function readLauncher(file: string): Promise<string | undefined> {
  const stamp = await stampFile(file);
  return stamp === undefined || stamp.bytes >= LAUNCHER_BYTES ? undefined : await readIfPresent(file);
}

/** The text of a program that runs a kept stand-in. */
export const launcher = (script: string): string => `#!/bin/sh\nexec node '${script.replaceAll("'", "'\\''")}' "$@"\n`;

/** Whether a program is the launcher of a stand-in: a few lines of shell. */
export async function isStandIn(file: string, name: StandIn): Promise<boolean> {
  const text = (await readLauncher(file)) ?? "";
  return text.startsWith("#!/bin/sh\nexec node '") && text.includes(`/${name}-`);
}

/** Puts our language host beside a built `pulumi`: only from there does the engine accept it without a warning. */
export async function installLanguageHost(binFolder: string): Promise<void> {
  const file = path.join(binFolder, "pulumi-language-nodejs");
  const text = launcher(await keepStandIn("language-host"));
  if ((await readIfPresent(file)) !== text) await writeFileAtomic(file, text, 0o755);
}
