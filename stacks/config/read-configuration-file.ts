import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Range } from "yaml";
import type { ConfigurationPath } from "./configuration-path";
import type { ConfigurationProblem } from "./describe-problems";
import { nearestWord } from "./nearest-word";
import { type ParseContext, type ParseResult, parseConfiguration } from "./parse-configuration";

/** Pulumi's name of the configuration in a stack's file: project and key. */
export const configurationKey = "groundplane:dataCenter";

/**
 * The configuration in the text of a `stacks/Pulumi.<stack>.yaml`; each problem carries its line. Everything of
 * Pulumi's own in the file (encryption salt, other projects' keys) is left alone.
 */
export function readConfigurationFile(text: string, context: Omit<ParseContext, "lineOf">): ParseResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) return { problems: document.errors.map((error) => syntaxProblem(error, lines)) };
  const strayKeys = checkStrayKeys(document, lines);
  const result = parseConfiguration(plainValueAt(document, ["config", configurationKey]), {
    ...context,
    lineOf: (path) => lineOf(document, lines, ["config", configurationKey, ...path]),
  });
  const problems = [...strayKeys, ...(result.problems ?? [])];
  return problems.length > 0 ? { problems } : result;
}

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
function checkStrayKeys(document: Document, lines: LineCounter): readonly ConfigurationProblem[] {
  const config = document.get("config", true);
  if (!isMap(config)) return [];
  return config.items.flatMap((pair) => {
    const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
    const isStray = key !== configurationKey && (key.startsWith("groundplane:") || isMisspelt(key));
    if (!isStray) return [];
    const line = lineOf(document, lines, ["config", key]);
    const fix = `did you mean \`${configurationKey}\`?`;
    return [{ path: key, ...(line ? { line } : {}), value: "…", rule: "unknown key", fix }];
  });
}

const isMisspelt = (key: string): boolean => nearestWord(key, [configurationKey]) !== undefined;

function plainValueAt(document: Document, path: ConfigurationPath): unknown {
  const node = document.getIn(path, true);
  return isNode(node) ? node.toJS(document) : node;
}

/** Line of the key or list entry at the path, or of the nearest one around it. */
function lineOf(document: Document, lines: LineCounter, path: ConfigurationPath): number | undefined {
  let at: unknown = document.contents;
  let range: Range | null | undefined;
  for (const part of path) {
    const found = childOf(at, part);
    if (found === undefined) break;
    range = isNode(found.place) ? found.place.range : range;
    at = found.value;
  }
  return range ? lines.linePos(range[0]).line : undefined;
}

function childOf(node: unknown, part: string | number): { place: unknown; value: unknown } | undefined {
  if (isSeq(node) && typeof part === "number") {
    const item = node.items[part];
    return item === undefined ? undefined : { place: item, value: item };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
  return pair && { place: pair.key, value: pair.value };
}
