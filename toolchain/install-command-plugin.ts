import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { exists, readIfPresent, removeTree, writeFileAtomic } from "../host/file-store";
import { runCommand } from "../host/run-command";
import { UserError } from "../model/user-error";
import { programFile } from "./own-pulumi";
import type { ObtainOptions, PulumiCli } from "./pulumi-tool";
import { COMMAND_PLUGIN_VERSION } from "./pulumi-version";
import { keepStandIn, launcher } from "./stand-ins";

const DOWNLOAD_LIMIT_MS = 120_000;
const EXECUTABLE = programFile("pulumi-resource-command");

/**
 * Sees to it that `@pulumi/command` finds its plugin in a PULUMI_HOME: the official one where Pulumi itself could be
 * had, else ours. One that is there already is kept, except that ours follows this project's version.
 */
export async function installCommandPlugin(cli: PulumiCli, home: string, options: ObtainOptions = {}): Promise<void> {
  const installed = path.join(home, "plugins", `resource-command-v${COMMAND_PLUGIN_VERSION}`, EXECUTABLE);
  const isPresent = await exists(installed);
  if (isPresent && !(await isLauncher(installed))) return;
  if (!isPresent && cli.how !== "build" && (await installOfficial(cli, home, options))) return;
  if (process.platform === "win32") throw pluginMissing();
  await installOurs(cli, home, installed, options);
}

/** Ours is started by a shell script. */
const pluginMissing = (): UserError =>
  new UserError(
    "command-plugin-missing",
    `Pulumi's command plugin ${COMMAND_PLUGIN_VERSION} could not be fetched`,
    `with a network: pulumi plugin install resource command ${COMMAND_PLUGIN_VERSION}`,
  );

/** Ours is a few lines of shell, the official plugin a large binary. */
async function isLauncher(file: string): Promise<boolean> {
  const { size } = await fs.stat(file);
  return size < 4096 && ((await readIfPresent(file)) ?? "").startsWith("#!/bin/sh");
}

async function installOfficial(cli: PulumiCli, home: string, { progress, signal }: ObtainOptions): Promise<boolean> {
  progress?.(`fetching the command plugin ${COMMAND_PLUGIN_VERSION}`);
  return install(cli, home, [], { signal, timeoutMs: DOWNLOAD_LIMIT_MS }).then(
    () => true,
    (error: unknown) => {
      if (signal?.aborted) throw error;
      return false;
    },
  );
}

async function installOurs(cli: PulumiCli, home: string, installed: string, { signal }: ObtainOptions): Promise<void> {
  const text = launcher(await keepStandIn("command-plugin"));
  if ((await readIfPresent(installed)) === text) return;
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "groundplane-command-plugin-"));
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
