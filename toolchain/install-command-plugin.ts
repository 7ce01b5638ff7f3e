import * as path from "node:path";
import { pulumiHomeFolder } from "../host/data-folder";
import { exists, makeTemporaryFolder, readIfPresent, removeTree, writeFileAtomic } from "../host/file-store";
import { runCommand } from "../host/run-command";
import {
  acceptsUnpinned,
  downloadKey,
  type PinnedDigests,
  pinnedDigests,
  unpinnedHint,
} from "../model/pinned-downloads";
import { UserError } from "../model/user-error";
import { programFile } from "./own-pulumi";
import { credentialsFolder } from "./pulumi-environment";
import type { ObtainOptions, PulumiCli } from "./pulumi-tool";
import { COMMAND_PLUGIN_VERSION } from "./pulumi-tool";
import { isStandIn, keepStandIn, launcher } from "./stand-ins";
import { isWorthAsking } from "./worth-asking";

const DOWNLOAD_LIMIT_MS = 120_000;
const EXECUTABLE = programFile("pulumi-resource-command");

const pluginFolder = (home: string): string =>
  path.join(home, "plugins", `resource-command-v${COMMAND_PLUGIN_VERSION}`);

export type InstalledPlugin = "official" | "stand-in" | "none";

export async function installedCommandPlugin(home: string): Promise<InstalledPlugin> {
  const file = path.join(pluginFolder(home), EXECUTABLE);
  if (!(await exists(file))) return "none";
  return (await isStandIn(file, "command-plugin")) ? "stand-in" : "official";
}

/**
 * Installs the plugin of `@pulumi/command` into a PULUMI_HOME of ours: the official one where it can be had, else our
 * stand-in, which a later call replaces. Where Pulumi itself was built, because its release could not be downloaded and
 * verified, the official plugin is not downloaded either.
 *
 * @param digests the committed digests; others only in tests
 */
export async function installCommandPlugin(
  cli: PulumiCli,
  home: string,
  options: ObtainOptions = {},
  digests: PinnedDigests = pinnedDigests,
): Promise<void> {
  const present = await installedCommandPlugin(home);
  if (present === "official") return;
  if (await installUsersOwn(cli, home, options)) return;
  const pinned = digests[downloadKey("pulumi-resource-command", COMMAND_PLUGIN_VERSION, platform())];
  if (cli.how !== "build" && (pinned !== undefined || acceptsUnpinned(process.env))) {
    const isDue = await isWorthAsking("command-plugin");
    if ((isDue || present === "none") && (await installOfficial(cli, home, pinned, options))) return;
  }
  if (process.platform === "win32") throw pluginMissing();
  await installOurs(cli, home, options);
}

/** A shell script starts ours, so Windows needs the official one. */
const pluginMissing = (): UserError =>
  new UserError(
    "command-plugin-missing",
    `Pulumi's command plugin ${COMMAND_PLUGIN_VERSION} could not be downloaded and verified`,
    `with a network: pulumi plugin install resource command ${COMMAND_PLUGIN_VERSION}; or ${unpinnedHint}`,
  );

/** Without a network, the user may have the official plugin in their own home. */
async function installUsersOwn(cli: PulumiCli, home: string, { signal }: ObtainOptions): Promise<boolean> {
  const users = credentialsFolder();
  if (users === home || (await installedCommandPlugin(users)) !== "official") return false;
  return install(cli, home, ["--file", pluginFolder(users), "--reinstall"], { signal }).then(
    () => true,
    (error: unknown) => refused(error, signal),
  );
}

/** As the archives of plugins are named. */
const platform = (): string =>
  `${process.platform === "win32" ? "windows" : process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;

/** @param pinned Pulumi compares the archive with it; without it, the user accepts what the server sends */
async function installOfficial(
  cli: PulumiCli,
  home: string,
  pinned: string | undefined,
  { progress, signal }: ObtainOptions,
): Promise<boolean> {
  progress?.(`downloading the command plugin ${COMMAND_PLUGIN_VERSION}`);
  const checksum = pinned === undefined ? [] : ["--checksum", pinned];
  return install(cli, home, ["--reinstall", ...checksum], { signal, timeoutMs: DOWNLOAD_LIMIT_MS }).then(
    () => true,
    (error: unknown) => refused(error, signal),
  );
}

function refused(error: unknown, signal: AbortSignal | undefined): false {
  if (signal?.aborted) throw error;
  return false;
}

async function installOurs(cli: PulumiCli, home: string, { signal }: ObtainOptions): Promise<void> {
  const text = launcher(await keepStandIn("command-plugin"));
  if ((await readIfPresent(path.join(pluginFolder(home), EXECUTABLE))) === text) return;
  const folder = await makeTemporaryFolder("groundplane-command-plugin-");
  try {
    await writeFileAtomic(path.join(folder, EXECUTABLE), text, 0o755);
    await install(cli, home, ["--file", folder, "--reinstall"], { signal });
  } finally {
    await removeTree(folder);
  }
}

async function install(
  cli: PulumiCli,
  home: string,
  flags: readonly string[],
  limits: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
): Promise<void> {
  const pulumi = path.join(cli.binFolder, programFile("pulumi"));
  await runCommand([pulumi, "plugin", "install", "resource", "command", COMMAND_PLUGIN_VERSION, ...flags], {
    ...limits,
    env: { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
}

/** Earlier versions installed our stand-in into the home of a user who has a login. It does not help there. */
export async function removeFromUsersHome(home = credentialsFolder()): Promise<void> {
  if (home === pulumiHomeFolder() || (await installedCommandPlugin(home)) !== "stand-in") return;
  await removeTree(pluginFolder(home));
  await removeTree(`${pluginFolder(home)}.lock`);
}
