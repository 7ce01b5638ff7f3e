import { isObject, type Properties, type PropertyValue, UNKNOWN } from "../../provider/rpc/property-values";
import type { CheckFailure } from "../../provider/rpc/resource-handler";

/** The streams of a command that are shown while it runs. */
export type Logging = "stdout" | "stderr" | "stdoutAndStderr" | "none";
const LOGGING: readonly string[] = ["stdout", "stderr", "stdoutAndStderr", "none"] satisfies Logging[];

/** The inputs that define how a command runs, local or remote. */
export interface CommandInputs {
  readonly stdin: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Working folder; `undefined`: that of `pulumi`. Local only. */
  readonly dir: string | undefined;
  /** Program and leading arguments that receive the command text. Local only. */
  readonly interpreter: readonly string[];
  readonly logging: Logging;
  readonly addPreviousOutputInEnv: boolean;
}

export const optionalText = (value: PropertyValue | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

export function readCommandInputs(inputs: Properties): CommandInputs {
  const interpreter = Array.isArray(inputs.interpreter) ? inputs.interpreter.map(String) : [];
  return {
    stdin: optionalText(inputs.stdin) ?? "",
    environment: isObject(inputs.environment) ? (inputs.environment as Record<string, string>) : {},
    dir: optionalText(inputs.dir),
    interpreter: interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"],
    logging: (optionalText(inputs.logging) ?? "stdoutAndStderr") as Logging,
    addPreviousOutputInEnv: inputs.addPreviousOutputInEnv !== false,
  };
}

/** Errors that all kinds of commands share. Unknown values of a preview pass; they are checked once they are known. */
export function checkCommandInputs(inputs: Properties): CheckFailure[] {
  return [
    ...["create", "update", "delete", "stdin", "dir"].flatMap((name) => checkText(inputs, name)),
    ...["assetPaths", "archivePaths"]
      .filter((name) => inputs[name] !== undefined)
      .map((property) => ({ property, reason: "is not supported by this build of the command plugin" })),
    ...checkLogging(inputs.logging),
    ...checkEnvironment(inputs.environment),
  ];
}

function checkText(inputs: Properties, property: string): CheckFailure[] {
  const value = inputs[property];
  const fits = value === undefined || value === null || value === UNKNOWN || typeof value === "string";
  return fits ? [] : [{ property, reason: "must be a string" }];
}

function checkLogging(value: PropertyValue | undefined): CheckFailure[] {
  if (value === undefined || value === null || value === UNKNOWN || LOGGING.includes(String(value))) return [];
  return [{ property: "logging", reason: `must be one of ${LOGGING.join(", ")}` }];
}

function checkEnvironment(value: PropertyValue | undefined): CheckFailure[] {
  if (value === undefined || value === null || value === UNKNOWN) return [];
  const fits = isObject(value) && Object.values(value).every((item) => item === UNKNOWN || typeof item === "string");
  return fits ? [] : [{ property: "environment", reason: "must map names to strings" }];
}
