import { Document, isScalar, type Scalar, visit } from "yaml";
import { singleLine, UnquotableValueError } from "./quoting";

const block = "BLOCK_LITERAL";
const quoted = "QUOTE_DOUBLE";
const printableText = /^[\t\n\x20-\x7e]*$/;

/** Whether a text can stand in a YAML document as it is, for readers of YAML 1.1 and 1.2 alike. */
export const isPlainText = (text: string): boolean => printableText.test(text);

/**
 * YAML that readers of 1.1 (cloud-init) and 1.2 (everybody else) understand alike: every one-line string is quoted, so
 * that `no`, `0755` and `1:30` stay strings, and texts of several lines are block literals, so that people can read
 * them. Throws UnquotableValueError for strings that do not survive in both.
 */
export function emitYaml(value: unknown, header = ""): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(key, scalar) {
      if (key !== "key" && typeof scalar.value === "string") styleString(scalar as Scalar<string>);
    },
  });
  return header + document.toString({ lineWidth: 0, indentSeq: false });
}

function styleString(scalar: Scalar<string>): void {
  if (!isScalar(scalar)) return;
  if (scalar.value.includes("\n")) {
    if (!isPlainText(scalar.value)) throw new UnquotableValueError(scalar.value, "a YAML block");
    scalar.type = block;
  } else {
    singleLine(scalar.value.replaceAll("\t", ""), "a YAML string");
    scalar.type = quoted;
  }
}
