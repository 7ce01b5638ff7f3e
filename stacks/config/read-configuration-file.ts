import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Range,
  type YAMLMap,
} from "yaml";
import type { ConfigurationPath } from "./configuration-path";
import type { ConfigurationProblem } from "./describe-problems";
import { nearestWord } from "./nearest-word";
import { type ParseContext, type ParseResult, parseConfiguration } from "./parse-configuration";
import { pulumiYaml } from "./pulumi-yaml";

/** Pulumi's name of the configuration in a stack's file: project and key. */
export const configurationKey = "groundplane:dataCenter";

/**
 * The configuration in the text of a `stacks/Pulumi.<stack>.yaml`; each problem carries its line. Everything of
 * Pulumi's own in the file (encryption salt, other projects' keys) is left alone.
 */
export function readConfigurationFile(text: string, context: Omit<ParseContext, "lineOf">): ParseResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...pulumiYaml, lineCounter: lines });
  if (document.errors.length > 0) return { problems: document.errors.map((error) => syntaxProblem(error, lines)) };
  const content = contentOf(document);
  if ("problem" in content) return { problems: [content.problem] };
  const settings = asObject(asObject(content.value).config);
  const strayKeys = checkStrayKeys(Object.keys(settings), (path) => lineOf(document, lines, path));
  const result = parseConfiguration(settings[configurationKey], {
    ...context,
    lineOf: (path) => lineOf(document, lines, ["config", configurationKey, ...path]),
  });
  const problems = [...strayKeys, ...(result.problems ?? [])];
  return problems.length > 0 ? { problems } : result;
}

/** The document as plain values, with its aliases and merge keys resolved. */
function contentOf(document: Document): { readonly value: unknown } | { readonly problem: ConfigurationProblem } {
  try {
    const value: unknown = document.toJS();
    // Pulumi refuses an anchor that contains itself, and so does this.
    JSON.stringify(value);
    return { value };
  } catch (error) {
    const rule = `must be YAML: ${error instanceof Error ? error.message : error}`;
    return { problem: { path: "file", line: 1, value: "alias", rule, fix: "repair its anchors and aliases" } };
  }
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

function syntaxProblem(error: Document["errors"][number], lines: LineCounter): ConfigurationProblem {
  const [summary = ""] = error.message.split(" at line ");
  return {
    path: "file",
    line: lines.linePos(error.pos[0]).line,
    value: error.code,
    rule: `must be YAML: ${summary}`,
    fix: error.code === "DUPLICATE_KEY" ? "keep one of the two" : "repair this line",
  };
}

/** Keys of this project beside the one that is read: a typing error in the name would otherwise mean all defaults. */
function checkStrayKeys(
  keys: readonly string[],
  lineOfKey: (path: ConfigurationPath) => number | undefined,
): readonly ConfigurationProblem[] {
  return keys.flatMap((key) => {
    const isStray = key !== configurationKey && (key.startsWith("groundplane:") || isMisspelt(key));
    if (!isStray) return [];
    const line = lineOfKey(["config", key]);
    const fix = `did you mean \`${configurationKey}\`?`;
    return [{ path: key, ...(line ? { line } : {}), value: "…", rule: "unknown key", fix }];
  });
}

const isMisspelt = (key: string): boolean => nearestWord(key, [configurationKey]) !== undefined;

/** Line of the key or list entry at the path, or of the nearest one around it; for a merged value, where it is written. */
function lineOf(document: Document, lines: LineCounter, path: ConfigurationPath): number | undefined {
  let at: unknown = document.contents;
  let range: Range | null | undefined;
  for (const part of path) {
    const found = childOf(document, at, part);
    if (found === undefined) break;
    range = isNode(found.place) ? found.place.range : range;
    at = found.value;
  }
  return range ? lines.linePos(range[0]).line : undefined;
}

interface Child {
  readonly place: unknown;
  readonly value: unknown;
}

function childOf(document: Document, parent: unknown, part: string | number): Child | undefined {
  const node = withoutAlias(document, parent);
  if (isSeq(node) && typeof part === "number") {
    const item = node.items[part];
    return item === undefined ? undefined : { place: item, value: item };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
  if (pair) return { place: pair.key, value: pair.value };
  for (const source of mergedInto(document, node)) {
    const found = childOf(document, source, part);
    if (found) return found;
  }
  return undefined;
}

const withoutAlias = (document: Document, node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);

/** The maps that a map includes with `<<`, in the order in which they win. */
function mergedInto(document: Document, map: YAMLMap): readonly unknown[] {
  return map.items
    .filter(({ key }) => isScalar(key) && typeof key.value === "symbol")
    .flatMap(({ value }) => {
      const source = withoutAlias(document, value);
      return isSeq(source) ? source.items : [source];
    });
}
