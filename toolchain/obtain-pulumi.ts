import * as path from "node:path";
import { pulumiHomeFolder, toolsFolder } from "../host/data-folder";
import { withFileLock } from "../host/file-lock";
import { makeFolder, moveTree, removeTree } from "../host/file-store";
import { type HostFinding, ok, warning } from "../model/host-finding";
import { unpinnedHint } from "../model/pinned-downloads";
import { UserError } from "../model/user-error";
import { buildPulumi } from "./build-pulumi";
import { downloadPulumi, isDownloadReachable, mayDownload } from "./download-pulumi";
import {
  type InstalledPlugin,
  installCommandPlugin,
  installedCommandPlugin,
  removeFromUsersHome,
} from "./install-command-plugin";
import { findOwnPulumi, lookForOwnPulumi } from "./own-pulumi";
import type { ObtainOptions, PulumiCli } from "./pulumi-tool";
import { COMMAND_PLUGIN_VERSION, PULUMI_VERSION } from "./pulumi-tool";
import { isIntact, readRecord, sealFolder } from "./sealed-folder";
import { installLanguageHost, isStandIn } from "./stand-ins";
import { isWorthAsking } from "./worth-asking";

const LOCK_TIMEOUT_MS = 30 * 60_000;

/** The folder of a downloaded or built Pulumi. */
export const keptPulumiFolder = (): string => path.join(toolsFolder(), `pulumi-${PULUMI_VERSION}`);

/** Held by every process that changes Pulumi in the tools, or the plugin in a PULUMI_HOME. */
export const pulumiLock = (): string => path.join(toolsFolder(), "pulumi");
export const pluginLock = (home: string): string => path.join(home, "command-plugin");

/**
 * The user's own Pulumi when it is recent enough; else the one obtained earlier; else the official download, if its digest is
 * committed; else one built from the Go module proxy, with our own language host and command plugin. The result is verified; a second call
 * takes well below a second. May be killed at any point and called again, also by several processes at once.
 *
 * @throws UserError `go-missing`, `pulumi-not-obtained`, `command-failed`
 */
export async function obtainPulumi(options: ObtainOptions = {}): Promise<PulumiCli> {
  const own = await findOwnPulumi();
  const cli = own ?? (await withFileLock(pulumiLock(), () => keepPulumi(options), LOCK));
  const home = pulumiHomeFolder();
  await withFileLock(pluginLock(home), () => installCommandPlugin(cli, home, options), LOCK);
  await removeFromUsersHome();
  return cli;
}

/** Like `obtainPulumi`, but downloads and builds nothing: `undefined` when that would be necessary. */
export async function findPulumi(): Promise<PulumiCli | undefined> {
  return (await findOwnPulumi()) ?? keptPulumi();
}

/** Names Pulumi, its language host and its command plugin, and why the user's own Pulumi is not used. */
export async function checkPulumi(): Promise<readonly HostFinding[]> {
  const { own, passedOver } = await lookForOwnPulumi();
  const cli = own ?? (await keptPulumi());
  const others = passedOver ? `\nnot ${passedOver}` : "";
  if (!cli) return [warning("pulumi", `Pulumi is not installed yet${others}`, "`npm start` obtains it")];
  const host = path.join(cli.binFolder, "pulumi-language-nodejs");
  const ourHost = await isStandIn(host, "language-host");
  return [
    ok("pulumi", `Pulumi ${cli.version} is in ${cli.binFolder} (${origins[cli.how]})${others}`),
    ok("language-host", `Node.js host of Pulumi: ${ourHost ? "groundplane's stand-in" : "the official one"}`),
    ok(
      "command-plugin",
      `command plugin ${COMMAND_PLUGIN_VERSION}: ${plugins[await installedCommandPlugin(pulumiHomeFolder())]}`,
    ),
  ];
}

const origins: Readonly<Record<PulumiCli["how"], string>> = {
  own: "your own",
  download: "downloaded by groundplane",
  build: "built by groundplane, because the official release could not be downloaded and verified",
};

const plugins: Readonly<Record<InstalledPlugin, string>> = {
  official: "the official one",
  "stand-in": "groundplane's stand-in, because the official one was not downloaded",
  none: "not installed yet, `npm start` installs it",
};

const LOCK = { timeoutMs: LOCK_TIMEOUT_MS };

async function keepPulumi(options: ObtainOptions): Promise<PulumiCli> {
  const kept = await keptPulumi();
  const cli =
    (kept?.how === "build" ? await replaceByOfficial(options) : undefined) ?? kept ?? (await fetchPulumi(options));
  // For a kept one, too: another clone of the project, or this one before an update, may have left an older host.
  if (cli.how === "build") await installLanguageHost(cli.binFolder);
  return cli;
}

async function keptPulumi(): Promise<PulumiCli | undefined> {
  const folder = keptPulumiFolder();
  const record = await readRecord(folder);
  if (!record || !(await isIntact(folder, record))) return undefined;
  return { binFolder: path.join(folder, "bin"), version: PULUMI_VERSION, how: record.how };
}

async function fetchPulumi(options: ObtainOptions): Promise<PulumiCli> {
  if (process.platform === "win32") {
    throw new UserError(
      "pulumi-not-obtained",
      `Pulumi ${PULUMI_VERSION} or later is not on PATH, and Windows has its own installer for it`,
      "install it: https://www.pulumi.com/docs/install/, open a new window and try again",
    );
  }
  if (process.platform !== "linux" && !mayDownload()) {
    throw new UserError(
      "pulumi-not-obtained",
      `Pulumi ${PULUMI_VERSION} or later is not on PATH, and this release of groundplane has no digest of its download for ${process.platform}`,
      `install it: https://www.pulumi.com/docs/install/; or ${unpinnedHint}`,
    );
  }
  const folder = keptPulumiFolder();
  // Counts as the attempt of this day.
  await isWorthAsking("pulumi");
  const how = mayDownload() && (await isDownloadReachable(options.signal)) ? "download" : "build";
  await removeTree(folder);
  return fillFolder(folder, how, options);
}

/** For a Pulumi that was built with our language host because the official release could not be downloaded and verified. */
async function replaceByOfficial(options: ObtainOptions): Promise<PulumiCli | undefined> {
  if (!mayDownload() || !(await isWorthAsking("pulumi")) || !(await isDownloadReachable(options.signal)))
    return undefined;
  const folder = keptPulumiFolder();
  const official = `${folder}.official`;
  await removeTree(official);
  try {
    await fillFolder(official, "download", options);
  } catch (error) {
    options.signal?.throwIfAborted();
    options.progress?.(`the built Pulumi stays: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
    return undefined;
  }
  await removeTree(folder);
  await moveTree(official, folder);
  return keptPulumi();
}

async function fillFolder(folder: string, how: "download" | "build", options: ObtainOptions): Promise<PulumiCli> {
  const binFolder = path.join(folder, "bin");
  await makeFolder(binFolder);
  if (how === "download") await downloadPulumi(binFolder, options);
  else await buildPulumi(binFolder, options);
  await sealFolder(folder, how, path.join("bin", "pulumi"));
  return { binFolder, version: PULUMI_VERSION, how };
}
