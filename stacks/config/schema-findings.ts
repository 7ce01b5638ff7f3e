import * as z from "zod";
import { formerConfigurationKeys } from "../../model/former-names";
import { type ConfigurationPath, formatPath, valueAt } from "./configuration-path";
import { configurationSchema } from "./configuration-schema";
import { aligned, formatCidr, parseCidr } from "./ipv4";
import { nearestWord } from "./nearest-word";
import type { Finding } from "./rules";

type Issue = z.core.$ZodIssue;

/** What the shape says about a value, in the user's words; one finding for each unknown key. */
export function findingsOf(issues: readonly Issue[], value: unknown): readonly Finding[] {
  return issues.flatMap((issue) => findingsOfIssue(issue, issue.path as ConfigurationPath, value));
}

function findingsOfIssue(issue: Issue, path: ConfigurationPath, value: unknown): readonly Finding[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey([...path, key]));
    case "invalid_type":
      if (valueAt(value, path) === undefined) return [missing(path, issue.expected)];
      return [wrongType(path, issue.expected)];
    case "invalid_value":
      return [notOneOf(path, issue.values.map(String), valueAt(value, path))];
    case "too_small":
      return [{ path, rule: `must be at least ${issue.minimum}`, fix: `use ${issue.minimum} or more` }];
    case "too_big":
      return [{ path, rule: `must be at most ${issue.maximum}`, fix: `use ${issue.maximum} or less` }];
    case "invalid_union":
      return [{ path, rule: "must be a port or a range of ports", fix: "write e.g. 9100 or 8000-8010" }];
    case "custom":
      return [{ path, rule: issue.message, fix: customFix(issue.params, valueAt(value, path)) }];
    default:
      return [{ path, rule: issue.message, fix: "use a name like `brick` or `data-1`" }];
  }
}

function unknownKey(path: ConfigurationPath): Finding {
  const known = knownKeys(path.slice(0, -1));
  const around = known.filter((key) => key.startsWith("/")).find((key) => String(path.at(-1)).startsWith(`${key}/`));
  if (around)
    return { path, rule: `must not lie in another volume, ${around}`, fix: `give ${around} the size instead` };
  const renamed = formerConfigurationKeys[formatPath(path)];
  if (renamed) return { path, rule: "unknown key", fix: `it is called \`${renamed}\` now` };
  const meant = nearestWord(String(path.at(-1)), known);
  return {
    path,
    rule: "unknown key",
    fix: meant ? `did you mean \`${meant}\`?` : `known here: ${known.join(", ")}`,
  };
}

const typeNames: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a whole number",
  string: "text",
  boolean: "true or false",
  object: "a mapping of keys",
  array: "a list",
};

const missing = (path: ConfigurationPath, expected: string): Finding => ({
  path,
  rule: `is missing: it must be ${typeNames[expected] ?? expected}`,
  fix: `write \`${path.at(-1)}: …\``,
});

function wrongType(path: ConfigurationPath, expected: string): Finding {
  const rule = `must be ${typeNames[expected] ?? expected}`;
  switch (expected) {
    case "object":
      return { path, rule, fix: `known keys: ${knownKeys(path).join(", ")}` };
    case "array":
      return { path, rule, fix: "write `- …` entries, or [] for none" };
    case "string":
      return { path, rule, fix: "put it in quotes" };
    default:
      return { path, rule, fix: "write it without quotes" };
  }
}

function notOneOf(path: ConfigurationPath, allowed: readonly string[], written: unknown): Finding {
  const meant = typeof written === "string" ? nearestWord(written, allowed) : undefined;
  const list = allowed.join(", ");
  return {
    path,
    rule: allowed.length === 1 ? `must be ${list}` : `must be one of ${list}`,
    fix: meant ? `did you mean \`${meant}\`?` : `use ${allowed[0]}`,
  };
}

function customFix(params: Readonly<Record<string, unknown>> | undefined, written: unknown): string {
  const range = params?.suggestAligned && typeof written === "string" ? parseCidr(written) : undefined;
  return range ? `use ${formatCidr(aligned(range))}` : String(params?.fix);
}

/** The keys that the schema knows at a path. */
function knownKeys(path: ConfigurationPath): readonly string[] {
  const schema = path.reduce<z.core.$ZodType>((at, part) => {
    const inner = unwrapped(at);
    if (inner instanceof z.ZodArray) return inner.element;
    const next = inner instanceof z.ZodObject ? inner.shape[part] : undefined;
    if (next === undefined) throw new RangeError(`the schema has nothing at ${formatPath(path)}`);
    return next;
  }, configurationSchema);
  const inner = unwrapped(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** The schema below its defaults and `optional`. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const wraps = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional;
  return wraps ? unwrapped(schema.unwrap()) : schema;
}
