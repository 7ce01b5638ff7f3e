import * as path from "node:path";
import { dataFolder, partsFolder, pulumiHomeFolder, toolsFolder } from "../host/data-folder";
import { digestFile } from "../host/digest-file";
import { listFolder, realPath } from "../host/file-store";
import { findProcesses } from "../host/process-table";
import { isDiscarded } from "../host/remove-aside";
import { isLeftOfKilledWrite } from "../host/temporary-files";
import type { StoredItem } from "../model/stored-item";
import { findOwnGo, goFolder } from "./obtain-go";
import { keptPulumiFolder } from "./obtain-pulumi";
import { COMMAND_PLUGIN_VERSION } from "./pulumi-tool";
import type { LocalStateText } from "./run-pulumi/local-states";
import { bundleOf, standInCopies, standInUsers } from "./stand-ins";

const CHECKOUT = "this checkout";
/** Clones and data folders that share the tools name a copy in launchers that cannot be found: recently used copies stay. */
const RECENT_MS = 24 * 3_600_000;

/** Versions of Pulumi and copies of the stand-ins, and what uses them. Call it under `pulumiLock`. */
export async function storedPulumi(): Promise<readonly StoredItem[]> {
  const tools = (await realPath(toolsFolder())) ?? toolsFolder();
  const names = await listFolder(tools);
  const versions = names.filter((name) => /^pulumi-\d+\.\d+\.\d+/.test(name) && !isDiscarded(name));
  return [
    ...(await Promise.all(versions.map((name) => versionItem(path.join(tools, name))))),
    ...(await standInItems(tools)),
    ...names
      .filter((name) => isLeftOfKilledWrite(name) || isDiscarded(name))
      .map((name) => interrupted("tool", path.join(tools, name))),
    ...(await archives(/^pulumi-v/)),
  ];
}

async function versionItem(folder: string): Promise<StoredItem> {
  const isOurs = path.basename(folder) === path.basename(keptPulumiFolder());
  const users = [...(isOurs ? [CHECKOUT] : []), ...(await processesIn(folder))];
  return { kind: "tool", path: folder, users, reason: "this checkout uses another version of Pulumi" };
}

async function standInItems(tools: string): Promise<readonly StoredItem[]> {
  const usersOf = await standInUsers(tools);
  const copies = await standInCopies(tools);
  return Promise.all(
    copies.map(async ({ name, copy, used }): Promise<StoredItem> => {
      const digest = await digestFile(bundleOf(name)).catch(() => undefined);
      const isOurs = digest !== undefined && copy.endsWith(`-${digest.slice(0, 16)}.js`);
      const isRecent = used > Date.now() - RECENT_MS;
      const users = [
        ...(isOurs ? [CHECKOUT] : []),
        ...(await usersOf(copy)),
        ...(isRecent ? ["a start in the last 24 hours"] : []),
      ];
      return { kind: "tool", path: copy, users, reason: "no launcher, no process and not this checkout uses it" };
    }),
  );
}

/**
 * The Go that groundplane downloaded. Call it under its lock.
 * @param minimum what builds need
 */
export async function storedGo(minimum: string): Promise<readonly StoredItem[]> {
  const names = await listFolder(toolsFolder());
  const own = names.includes("go") ? await findOwnGo(minimum) : undefined;
  const users = [
    ...(own === undefined ? ["builds, because this host has no other Go"] : []),
    ...(await processesIn(goFolder())),
  ];
  return [
    ...(names.includes("go") ? [{ kind: "tool" as const, path: goFolder(), users, reason: `builds use ${own}` }] : []),
    ...(names.includes("go.partial") ? [interrupted("tool", `${goFolder()}.partial`)] : []),
    ...(await archives(/^go-v/)),
  ];
}

/** Versions of the command plugin, and what uses them. Call it under `pluginLock`. */
export async function storedPlugins(states: readonly LocalStateText[]): Promise<readonly StoredItem[]> {
  const folder = path.join(pulumiHomeFolder(), "plugins");
  return (await listFolder(folder)).flatMap((name): readonly StoredItem[] => {
    if (isDiscarded(name)) return [interrupted("plugin", path.join(folder, name))];
    // Pulumi's own lock of a plugin is an empty file beside it.
    const version = /^resource-command-v(\d+\.\d+\.\d+)(?:\.lock|\.partial)?$/.exec(name)?.[1];
    if (version === undefined) return [];
    const stacks = states.filter(({ text }) => namesPlugin(text, version)).map(({ stack }) => `the state of ${stack}`);
    const users = [...(version === COMMAND_PLUGIN_VERSION ? [CHECKOUT] : []), ...new Set(stacks)];
    return [
      { kind: "plugin", path: path.join(folder, name), users, reason: "this checkout and no state uses its version" },
    ];
  });
}

/** Pulumi runs the version of a plugin that the state names for its provider. */
const namesPlugin = (state: string, version: string): boolean =>
  state.includes("pulumi:providers:command") &&
  new RegExp(`"version":\\s*"${version.replaceAll(".", "\\.")}"`).test(state);

/** Archives are downloaded into the folder of parts, which may be a link to that of another data folder. */
async function archives(pattern: RegExp): Promise<readonly StoredItem[]> {
  const own = path.join((await realPath(dataFolder())) ?? "", path.basename(partsFolder()));
  if ((await realPath(partsFolder())) !== own) return [];
  const names = (await listFolder(own)).filter((name) => pattern.test(name));
  return names.map((name) => interrupted("download", path.join(own, name)));
}

const interrupted = (kind: StoredItem["kind"], file: string): StoredItem => ({
  kind,
  path: file,
  users: [],
  reason: "an interrupted command left it",
});

async function processesIn(folder: string): Promise<readonly string[]> {
  const found = await findProcesses((argv) => argv.some((word) => word.startsWith(`${folder}/`))).catch(() => []);
  return found.map(({ pid }) => `process ${pid}`);
}
