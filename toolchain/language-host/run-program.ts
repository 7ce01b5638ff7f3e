import { createRequire } from "node:module";
import * as path from "node:path";
import type { RunRequest } from "@pulumi/pulumi/proto/language_pb";
import { type ChildEnd, runChild } from "./child-processes";
import { readRuntimeOptions, typescriptEnvironment } from "./runtime-options";

/** How the program ended, in the engine's terms. */
export interface ProgramResult {
  /** Empty: success, or a failure that was reported to the user already. */
  readonly error: string;
  /** True: failed, and the failure was reported already. */
  readonly bail: boolean;
}

/** @pulumi/pulumi's `cmd/run` exits with this code after it has reported the failure itself. */
const ALREADY_REPORTED = 32;

/** Runs a Pulumi program in a Node process of its own; its output is this process's output, which the engine shows. */
export async function runProgram(request: RunRequest, engineAddress: string): Promise<ProgramResult> {
  const info = request.getInfo();
  if (!info) return { error: "the engine named no program", bail: false };
  const options = readRuntimeOptions(info);
  const programFolder = info.getProgramDirectory();
  const runner = resolveFrom(programFolder, "@pulumi/pulumi/cmd/run");
  if (!runner) return { error: sdkMissing(programFolder), bail: false };
  const end = await runChild(
    process.execPath,
    [
      ...options.nodeArguments,
      runner,
      ...runnerFlags(request, engineAddress),
      info.getEntryPoint(),
      ...request.getArgsList(),
    ],
    {
      folder: programFolder,
      environment: { ...process.env, ...configEnvironment(request), ...typescriptEnvironment(options) },
      onStdout: (chunk) => process.stdout.write(chunk),
      onStderr: (chunk) => process.stderr.write(chunk),
    },
  );
  return describeEnd(end);
}

/** Begins with the words of the official host. */
export const sdkMissing = (folder: string): string =>
  `It looks like the Pulumi SDK has not been installed: there is no @pulumi/pulumi in ${folder}, run npm ci there`;

/** The file that `require(request)` resolves to from a folder; `undefined` when it is not installed there. */
export function resolveFrom(folder: string, request: string): string | undefined {
  try {
    return createRequire(path.join(folder, "program.js")).resolve(request);
  } catch {
    return undefined;
  }
}

function describeEnd(end: ChildEnd): ProgramResult {
  if (end.code === 0) return { error: "", bail: false };
  if (end.code === ALREADY_REPORTED) return { error: "", bail: true };
  const how = end.signal ? `was ended by ${end.signal}` : `ended with code ${end.code}`;
  return { error: `the program ${how}`, bail: false };
}

function runnerFlags(request: RunRequest, engineAddress: string): string[] {
  const info = request.getInfo();
  const flags: readonly (readonly [string, string])[] = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engineAddress],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", info?.getRootDirectory() ?? ""],
    ["stack", request.getStack()],
    ["pwd", info?.getProgramDirectory() ?? ""],
    ["parallel", String(request.getParallel())],
  ];
  const given = flags.filter(([, value]) => value !== "").flatMap(([name, value]) => [`--${name}`, value]);
  return request.getDryrun() ? [...given, "--dry-run"] : given;
}

/** The SDK reads its settings from the environment, never from the command line: secrets stay out of argv. */
function configEnvironment(request: RunRequest): Record<string, string> {
  const config = Object.fromEntries(
    request
      .getConfigMap()
      .getEntryList()
      .map(([key, value]): [string, string] => [programConfigKey(key), value]),
  );
  return {
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  };
}

/** The engine says `project:name`, the SDK looks for `project:config:name`. */
export function programConfigKey(key: string): string {
  return /^[^:]+:config:/.test(key) ? key : key.replace(":", ":config:");
}
