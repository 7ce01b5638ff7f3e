import * as path from "node:path";
import { toolsFolder } from "../host/data-folder";
import { withFileLock } from "../host/file-lock";
import { makeFolder, removeTree } from "../host/file-store";
import { type HostFinding, ok, warning } from "../model/host-finding";
import { UserError } from "../model/user-error";
import { buildPulumi } from "./build-pulumi";
import { downloadPulumi, isDownloadReachable } from "./download-pulumi";
import { installCommandPlugin } from "./install-command-plugin";
import { findOwnPulumi } from "./own-pulumi";
import { choosePulumiHome } from "./pulumi-environment";
import type { ObtainOptions, PulumiCli } from "./pulumi-tool";
import { PULUMI_VERSION } from "./pulumi-tool";
import { isIntact, readRecord, sealFolder } from "./sealed-folder";
import { installLanguageHost } from "./stand-ins";

const LOCK_TIMEOUT_MS = 30 * 60_000;

/** The folder of a downloaded or built Pulumi. */
export const keptPulumiFolder = (): string => path.join(toolsFolder(), `pulumi-${PULUMI_VERSION}`);

/**
 * The user's own Pulumi when it is recent enough; else the one obtained earlier; else the official download; else one
 * built from the Go module proxy, with our own language host and command plugin. The result is verified; a second call
 * takes well below a second. May be killed at any point and called again, also by several processes at once.
 *
 * @throws UserError `go-missing`, `pulumi-not-obtained`, `command-failed`
 */
export async function obtainPulumi(options: ObtainOptions = {}): Promise<PulumiCli> {
  const own = await findOwnPulumi();
  const cli = own ?? (await withFileLock(path.join(toolsFolder(), "pulumi"), () => keepPulumi(options), LOCK));
  const home = await choosePulumiHome();
  await withFileLock(path.join(home, "command-plugin"), () => installCommandPlugin(cli, home, options), LOCK);
  return cli;
}

/** Like `obtainPulumi`, but downloads and builds nothing: `undefined` when that would be necessary. */
export async function findPulumi(): Promise<PulumiCli | undefined> {
  return (await findOwnPulumi()) ?? keptPulumi();
}

export async function checkPulumi(): Promise<readonly HostFinding[]> {
  const cli = await findPulumi();
  if (cli) return [ok("pulumi", `Pulumi ${cli.version} is in ${cli.binFolder} (${cli.how})`)];
  return [warning("pulumi", "Pulumi is not installed yet", "`npm start` obtains it")];
}

const LOCK = { timeoutMs: LOCK_TIMEOUT_MS };

async function keepPulumi(options: ObtainOptions): Promise<PulumiCli> {
  const cli = (await keptPulumi()) ?? (await fetchPulumi(options));
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
  const folder = keptPulumiFolder();
  const binFolder = path.join(folder, "bin");
  await removeTree(folder);
  await makeFolder(binFolder);
  const how = (await isDownloadReachable(options.signal)) ? "download" : "build";
  if (how === "download") await downloadPulumi(binFolder, options);
  else await buildPulumi(binFolder, options);
  await sealFolder(folder, how, path.join("bin", "pulumi"));
  return { binFolder, version: PULUMI_VERSION, how };
}
