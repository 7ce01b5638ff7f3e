import type { RunPluginRequest } from "@pulumi/pulumi/proto/language_pb";
import { runChild } from "./child-processes";
import { resolveFrom, sdkMissing } from "./run-program";
import { readRuntimeOptions, typescriptEnvironment } from "./runtime-options";

export interface PluginOutput {
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
}

/** Runs a plugin that is itself a Node program (a component provider, a policy pack); resolves to its exit code. */
export async function runPlugin(request: RunPluginRequest, output: PluginOutput): Promise<number> {
  const folder = request.getInfo()?.getProgramDirectory() ?? "";
  const isPolicyPack = request.getKind() === "analyzer";
  const entry = `@pulumi/pulumi/cmd/${isPolicyPack ? "run-policy-pack" : "run-plugin"}`;
  const runner = resolveFrom(folder, entry);
  if (!runner) throw new Error(sdkMissing(folder));
  const args = isPolicyPack ? [...request.getArgsList(), folder] : [folder, ...request.getArgsList()];
  const end = await runChild(process.execPath, [runner, ...args], {
    folder: isPolicyPack ? folder : request.getPwd() || folder,
    environment: {
      ...process.env,
      ...readVariables(request.getEnvList()),
      ...typescriptEnvironment(readRuntimeOptions(request.getInfo())),
    },
    ...output,
  });
  return end.code ?? 1;
}

/** `NAME=value` pairs; only the first `=` divides. */
export function readVariables(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf("=");
      return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
