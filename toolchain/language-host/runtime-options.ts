import type { ProgramInfo } from "@pulumi/pulumi/proto/language_pb";

/** The part of `runtime.options` in Pulumi.yaml that this host supports. */
export interface RuntimeOptions {
  readonly typescript: boolean;
  readonly tsconfig: string | undefined;
  readonly nodeArguments: readonly string[];
}

/** @throws Error that names the option when it has the wrong type. */
export function readRuntimeOptions(info: ProgramInfo | undefined): RuntimeOptions {
  const options = new Map<string, unknown>(Object.entries(info?.getOptions()?.toJavaScript() ?? {}));
  const typescript = options.get("typescript") ?? true;
  if (typeof typescript !== "boolean") throw new Error("runtime option typescript must be a boolean");
  return {
    typescript,
    tsconfig: readText(options, "tsconfig"),
    nodeArguments: readText(options, "nodeargs")?.split(/\s+/).filter(Boolean) ?? [],
  };
}

function readText(options: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = options.get(name);
  if (value !== undefined && typeof value !== "string") throw new Error(`runtime option ${name} must be a string`);
  return value;
}

/** The environment in which @pulumi/pulumi's entry scripts load a TypeScript program. */
export function typescriptEnvironment(options: RuntimeOptions): Record<string, string> {
  return {
    ...(options.typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
    ...(options.tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig } : {}),
  };
}
