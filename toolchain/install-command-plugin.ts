import * as path from "node:path";
import { exists, makeTemporaryFolder, readIfPresent, removeTree, stampFile, writeFileAtomic } from "../host/file-store";
import { runCommand } from "../host/run-command";
import { UserError } from "../model/user-error";
import { programFile } from "./own-pulumi";
import type { ObtainOptions, PulumiCli } from "./pulumi-tool";
import { COMMAND_PLUGIN_VERSION } from "./pulumi-tool";
import { keepStandIn, launcher } from "./stand-ins";

const DOWNLOAD_LIMIT_MS = 120_000;
const EXECUTABLE = programFile("pulumi-resource-command");

/**
 * Installs the plugin of `@pulumi/command` into a PULUMI_HOME: the official one where Pulumi itself is not built here,
 * else ours. Keeps an official one that is present; ours follows this project's version.
 */
export async function installCommandPlugin(cli: PulumiCli, home: string, options: ObtainOptions = {}): Promise<void> {
  const installed = path.join(home, "plugins", `resource-command-v${COMMAND_PLUGIN_VERSION}`, EXECUTABLE);
  const isPresent = await exists(installed);
  if (isPresent && !(await isLauncher(installed))) return;
  if (!isPresent && cli.how !== "build" && (await installOfficial(cli, home, options))) return;
  if (process.platform === "win32") throw pluginMissing();
  await installOurs(cli, home, installed, options);
}

/** A shell script starts ours, so Windows needs the official one. */
const pluginMissing = (): UserError =>
  new UserError(
    "command-plugin-missing",
    `Pulumi's command plugin ${COMMAND_PLUGIN_VERSION} could not be downloaded`,
    `with a network: pulumi plugin install resource command ${COMMAND_PLUGIN_VERSION}`,
  );

/** Ours is a few lines of shell, the official plugin a large binary. */
async function isLauncher(file: string): Promise<boolean> {
  const stamp = await stampFile(file);
  return stamp !== undefined && stamp.bytes < 4096 && ((await readIfPresent(file)) ?? "").startsWith("#!/bin/sh");
}

async function installOfficial(cli: PulumiCli, home: string, { progress, signal }: ObtainOptions): Promise<boolean> {
  progress?.(`downloading the command plugin ${COMMAND_PLUGIN_VERSION}`);
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
