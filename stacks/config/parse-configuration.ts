import { defaultKubernetesVersion } from "../../model/releases";
import { addOnRules } from "./add-on-rules";
import { addressRules } from "./address-rules";
import type { Configuration, ParsedShape } from "./configuration";
import { type ConfigurationPath, formatPath, startsWith, valueAt, withoutPath } from "./configuration-path";
import { configurationSchema } from "./configuration-schema";
import type { ConfigurationProblem } from "./describe-problems";
import { type EffectiveRelease, effectiveRelease } from "./effective-release";
import { derivedHostPorts } from "./host-ports";
import { networkRules } from "./network-rules";
import { optionRules } from "./option-rules";
import { poolRules } from "./pool-rules";
import { roleRules } from "./role-rules";
import { rotationRules } from "./rotation-rules";
import type { Finding } from "./rules";
import { findingsOf } from "./schema-findings";
import { virtualboxRules } from "./virtualbox-rules";

export interface ParseContext {
  /** The stack's name: it is the configuration's name too. */
  readonly stack: string;
  /** 1-based line of the value at a path, or of the nearest one around it. */
  readonly lineOf?: (path: ConfigurationPath) => number | undefined;
  /** The host's memory, where the caller knows it. */
  readonly hostMemoryMiB?: number;
  /** The release that the stack runs, if it exists and the caller knows it. It applies where the file names none. */
  readonly keptRelease?: string;
}

export type ParseResult =
  | { readonly configuration: Configuration; readonly release: EffectiveRelease; readonly problems?: undefined }
  | {
      readonly configuration?: undefined;
      readonly release?: undefined;
      readonly problems: readonly ConfigurationProblem[];
    };

const rules = [
  ...poolRules,
  ...roleRules,
  ...optionRules,
  ...networkRules,
  ...addressRules,
  ...rotationRules,
  ...addOnRules,
  ...virtualboxRules,
];

/**
 * Turns what the user wrote into a complete, checked configuration, or into a list of all its problems.
 * Never throws; `undefined` and `null` mean that nothing was written, which is a data centre of defaults.
 */
export function parseConfiguration(value: unknown, context: ParseContext): ParseResult {
  const written = value ?? {};
  const { shape, findings: misshapen } = parseShape(written);
  const release = effectiveRelease(shape?.kubernetesVersion, context.keptRelease);
  const configuration = shape && complete(shape, context.stack, release);
  const host = { memoryMiB: context.hostMemoryMiB };
  const broken = configuration
    ? rules
        .filter((rule) => !rule.reads.some((read) => touches(read, misshapen)))
        .flatMap((rule) => rule.check(configuration, host))
    : [];
  const problems = [
    ...checkStackName(context.stack),
    ...checkRelease(release, context),
    ...[...misshapen, ...broken].map((finding) => describe(finding, written, context)),
  ];
  return configuration && release && problems.length === 0
    ? { configuration, release }
    : { problems: inFileOrder(problems) };
}

/** Replaces misshapen values with their defaults, so that the rules can check all others. */
function parseShape(written: unknown): { shape: ParsedShape | undefined; findings: readonly Finding[] } {
  const first = configurationSchema.safeParse(written);
  if (first.success) return { shape: first.data, findings: [] };
  const findings = findingsOf(first.error.issues, written);
  const repaired = findings.reduce((rest, { path }) => withoutPath(rest, path), written);
  return { shape: configurationSchema.safeParse(repaired).data, findings };
}

/** @param release `undefined` is a problem; the default takes its place, so that the rules can check all other values */
function complete(shape: ParsedShape, stack: string, release: EffectiveRelease | undefined): Configuration {
  const derived = derivedHostPorts(stack);
  return {
    name: stack,
    ...shape,
    kubernetesVersion: release?.version ?? defaultKubernetesVersion,
    hostPorts: {
      ...shape.hostPorts,
      ...{ api: shape.hostPorts.api ?? derived.api, ssh: shape.hostPorts.ssh ?? derived.ssh },
    },
  };
}

const touches = (read: ConfigurationPath, misshapen: readonly Finding[]): boolean =>
  misshapen.some(({ path, rule }) => rule !== "unknown key" && (startsWith(path, read) || startsWith(read, path)));

function checkStackName(stack: string): readonly ConfigurationProblem[] {
  if (/^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/.test(stack)) return [];
  return [
    {
      path: "stack",
      value: shorten(stack),
      rule: "a stack's name must be lower-case letters, digits and dashes, at most 20, from a letter to a letter or digit",
      fix: "name it e.g. `lab` or `team-1`",
    },
  ];
}

function checkRelease(
  release: EffectiveRelease | undefined,
  { keptRelease, lineOf }: ParseContext,
): readonly ConfigurationProblem[] {
  if (release) return [];
  const line = lineOf?.([]);
  return [
    {
      path: "kubernetesVersion",
      ...(line === undefined ? {} : { line }),
      value: "(default)",
      rule: `the stack runs Kubernetes ${keptRelease}, which this version of groundplane does not have`,
      fix: "use the clone that brought it there, or update this one (`git pull`, then `npm start`)",
    },
  ];
}

function describe(finding: Finding, written: unknown, context: ParseContext): ConfigurationProblem {
  const value = finding.shown ?? shorten(valueAt(written, finding.path));
  const line = context.lineOf?.(finding.path);
  return {
    path: formatPath(finding.path),
    ...(line === undefined ? {} : { line }),
    value,
    rule: finding.rule,
    fix: finding.fix,
  };
}

/** JSON of at most 60 characters; what was not written is a default. */
function shorten(value: unknown): string {
  const text = value === undefined ? "(default)" : (JSON.stringify(value) ?? String(value));
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

const inFileOrder = (problems: readonly ConfigurationProblem[]): readonly ConfigurationProblem[] =>
  [...problems].sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
