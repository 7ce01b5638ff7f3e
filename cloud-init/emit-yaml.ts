import { Document, Scalar } from "yaml";
import { singleLine, UnquotableValueError } from "./quoting";

/** YAML 1.1's printable characters, without its additional line breaks, the byte order mark and astral planes. */
const printableText = /^[\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;
const blankLine = /^[\t ]+$/m;

/** Whether a text needs no encoding in a YAML document, for parsers of YAML 1.1 and 1.2. */
export const isPlainText = (text: string): boolean => printableText.test(text);

/**
 * YAML with the same meaning in YAML 1.1 (cloud-init) and 1.2 (all others): one-line strings are quoted, so that `no`, `0755`
 * and `1:30` stay strings, and multi-line texts are readable block literals. Throws UnquotableValueError for strings that do
 * not survive in both.
 */
export function emitYaml(value: unknown, header = ""): string {
  const document = new Document(withBlocks(value), { aliasDuplicateObjects: false });
  return header + document.toString(style);
}

const style = {
  lineWidth: 0,
  indentSeq: false,
  defaultKeyType: "PLAIN",
  defaultStringType: "QUOTE_DOUBLE",
  doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
} as const;

/** The value with its multi-line texts marked as block literals. */
function withBlocks(value: unknown): unknown {
  if (typeof value === "string") return value.includes("\n") ? block(value) : singleLine(value, "a YAML string");
  if (Array.isArray(value)) return value.map(withBlocks);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withBlocks(item)]));
}

function block(text: string): Scalar<string> {
  if (!isPlainText(text)) throw new UnquotableValueError(text, "a YAML block");
  const scalar = new Scalar(text);
  // Blank lines with spaces could be mistaken for the indentation of the block.
  scalar.type = blankLine.test(text) ? Scalar.QUOTE_DOUBLE : Scalar.BLOCK_LITERAL;
  return scalar;
}
