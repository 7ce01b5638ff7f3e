import { Document, isScalar, Scalar, visit } from "yaml";
import { singleLine, UnquotableValueError } from "./quoting";

/** YAML 1.1's printable characters, without its additional line breaks, the byte order mark and astral planes. */
const printableText = /^[\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;
const blankLine = /^[\t ]+$/m;

/** Whether a text needs no encoding in a YAML document, for parsers of YAML 1.1 and 1.2. */
export const isPlainText = (text: string): boolean => printableText.test(text);

/** Keys that every reader takes for the same string without quotes. */
const plainKey = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z][\w./-]*$/i;

/**
 * YAML with the same meaning in YAML 1.1 (cloud-init, kubectl) and 1.2 (all others): one-line strings are quoted, so that
 * `no`, `0755` and `1:30` stay strings, and multi-line texts are readable block literals. Throws UnquotableValueError for
 * values that do not survive in both.
 */
export function emitYaml(value: unknown, header = ""): string {
  const oddKeys = new Set<string>();
  const document = new Document(withBlocks(value, oddKeys), { aliasDuplicateObjects: false });
  if (oddKeys.size > 0) quoteKeys(document, oddKeys);
  return header + document.toString(style);
}

function quoteKeys(document: Document, oddKeys: ReadonlySet<string>): void {
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && oddKeys.has(String(key.value))) key.type = Scalar.QUOTE_DOUBLE;
    },
  });
}

const style = {
  lineWidth: 0,
  indentSeq: false,
  defaultKeyType: "PLAIN",
  defaultStringType: "QUOTE_DOUBLE",
  doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
} as const;

/** The value with its multi-line texts marked as block literals. Collects the keys that need quotes. */
function withBlocks(value: unknown, oddKeys: Set<string>): unknown {
  if (typeof value === "string") return value.includes("\n") ? block(value) : singleLine(value, "a YAML string");
  if (typeof value === "number") return plainNumber(value);
  if (Array.isArray(value)) return value.map((item) => withBlocks(item, oddKeys));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (!plainKey.test(key)) oddKeys.add(singleLine(key, "a YAML key"));
      return [key, withBlocks(item, oddKeys)];
    }),
  );
}

/** YAML 1.1 takes `1e+21` for a string and has another spelling for it. */
function plainNumber(value: number): number {
  if (!Number.isFinite(value) || /e/.test(String(value)))
    throw new UnquotableValueError(String(value), "a YAML number");
  return value;
}

function block(text: string): Scalar<string> {
  if (!isPlainText(text)) throw new UnquotableValueError(text, "a YAML block");
  const scalar = new Scalar(text);
  // Blank lines with spaces could be mistaken for the indentation of the block.
  scalar.type = blankLine.test(text) ? Scalar.QUOTE_DOUBLE : Scalar.BLOCK_LITERAL;
  return scalar;
}
