import { Document, Scalar } from "yaml";
import { singleLine, UnquotableValueError } from "./quoting";

/** What YAML 1.1 calls printable, without the line ends that only it knows, the byte order mark and astral planes. */
const printableText = /^[\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;
const blankLine = /^[\t ]+$/m;

/** Whether a text can stand in a YAML document as it is, for readers of YAML 1.1 and 1.2 alike. */
export const isPlainText = (text: string): boolean => printableText.test(text);

/**
 * YAML that readers of 1.1 (cloud-init) and 1.2 (everybody else) understand alike: every one-line string is quoted, so
 * that `no`, `0755` and `1:30` stay strings, and texts of several lines are block literals, so that people can read
 * them. Throws UnquotableValueError for strings that do not survive in both.
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

/** The value with its texts of several lines marked as block literals. */
function withBlocks(value: unknown): unknown {
  if (typeof value === "string") return value.includes("\n") ? block(value) : singleLine(value, "a YAML string");
  if (Array.isArray(value)) return value.map(withBlocks);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withBlocks(item)]));
}

function block(text: string): Scalar<string> {
  if (!isPlainText(text)) throw new UnquotableValueError(text, "a YAML block");
  const scalar = new Scalar(text);
  // Lines of nothing but blanks could be taken for the block's indentation.
  scalar.type = blankLine.test(text) ? Scalar.QUOTE_DOUBLE : Scalar.BLOCK_LITERAL;
  return scalar;
}
