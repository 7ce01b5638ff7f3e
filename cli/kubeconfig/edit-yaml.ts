import { type Document, isScalar, isSeq, type Pair, type YAMLMap } from "yaml";
import { emitYaml } from "../../cloud-init/emit-yaml";

/** Changes of a YAML text at its top level that leave all other bytes as they are, wherever the text has one item per line. */

/** Puts an item into a list: in the place of the one with this index, or at its end for -1. */
export function putItem(text: string, document: Document, list: string, index: number, item: object): string {
  const pair = pairOf(document, list);
  if (pair === undefined && !isInOneLine(document)) return append(text, `${list}:\n${itemLines(item, "")}`);
  const lines = linesOf(text, pair);
  if (lines !== undefined) {
    const place = lines.items[index] ?? { from: lines.end, to: lines.end };
    return splice(text, place.from, place.to, itemLines(item, lines.indent));
  }
  const range = rangeOf(pair?.value);
  if (isEmpty(pair) && range !== undefined && !isInOneLine(document)) {
    const start = text.slice(0, range.from).trimEnd().length;
    const key = splice(text, start, Math.max(start, range.to), "");
    const place = afterLine(key, start);
    return splice(key, place, place, itemLines(item, ""));
  }
  const items = (document.toJS() as Record<string, readonly object[]>)[list] ?? [];
  document.set(list, index === -1 ? [...items, item] : items.map((each, at) => (at === index ? item : each)));
  return reformatted(document);
}

export function removeItem(text: string, document: Document, list: string, index: number): string {
  const pair = pairOf(document, list);
  const lines = linesOf(text, pair);
  const place = lines?.items[index];
  if (lines === undefined || place === undefined) {
    document.deleteIn([list, index]);
    return reformatted(document);
  }
  const left = splice(text, place.from, place.to, "");
  if (lines.items.length > 1) return left;
  // kubectl takes a list without items for a missing one, but not a key without a value.
  const key = rangeOf(pair?.key)?.to ?? place.from;
  const [colon, comments = ""] = /^\s*:((?:[ \t]*(?:#.*)?\r?\n)*)$/.exec(text.slice(key, place.from)) ?? [];
  return splice(left, key, place.from, colon === undefined ? ": []\n" : `: []${comments}`);
}

/** Sets a short text. */
export function setValue(text: string, document: Document, key: string, value: string): string {
  const pair = pairOf(document, key);
  const range = rangeOf(pair?.value);
  if (isInOneLine(document) || (pair !== undefined && (range === undefined || !isScalar(pair.value)))) {
    document.set(key, value);
    return reformatted(document);
  }
  const written = value === "" ? '""' : value;
  if (range === undefined) return append(text, `${key}: ${written}\n`);
  return splice(text, range.from, range.to, /\s/.test(text[range.from - 1] ?? "") ? written : ` ${written}`);
}

interface Place {
  readonly from: number;
  readonly to: number;
}

interface ListLines {
  readonly indent: string;
  readonly items: readonly Place[];
  /** After the last item. */
  readonly end: number;
}

/** The lines of each item of a list with a dash per item; `undefined` for any other list. */
function linesOf(text: string, pair: Pair | undefined): ListLines | undefined {
  const sequence = pair?.value;
  if (!isSeq(sequence) || sequence.flow || sequence.items.length === 0) return undefined;
  const starts = sequence.items.map((item) => startOfItem(text, rangeOf(item)?.from));
  if (!starts.every((start) => start !== undefined)) return undefined;
  const end = afterLine(text, rangeOf(sequence.items.at(-1))?.to ?? text.length);
  const indent = /^ */.exec(text.slice(starts[0]))?.[0] ?? "";
  const items = starts.map((from, index) => ({ from, to: beforeComments(text, from, starts[index + 1] ?? end) }));
  return { indent, items, end };
}

/** The end of an item's own lines: comments and empty lines after them are about what follows. */
function beforeComments(text: string, from: number, to: number): number {
  const own = text.slice(from, to).replace(/(?:(?<=\n)[ \t]*(?:#.*)?\r?(?:\n|$))+$/, "");
  return from + own.length;
}

/** The begin of the line with the item's dash; `undefined` when more than a dash precedes the item. */
function startOfItem(text: string, offset: number | undefined): number | undefined {
  if (offset === undefined) return undefined;
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^ *- *$/.test(text.slice(start, offset)) ? start : undefined;
}

/** The begin of the line after a value, whose range may or may not have the end of its last line. */
function afterLine(text: string, offset: number): number {
  if (text[offset - 1] === "\n") return offset;
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

function itemLines(item: object, indent: string): string {
  const lines = emitYaml([item]).trimEnd().split("\n");
  return lines.map((line) => `${indent}${line}\n`).join("");
}

function rangeOf(node: unknown): Place | undefined {
  const range = (node as { readonly range?: readonly number[] | null } | null | undefined)?.range;
  const [from, to] = range ?? [];
  return from === undefined || to === undefined ? undefined : { from, to };
}

const pairOf = (document: Document, key: string): Pair | undefined =>
  (document.contents as YAMLMap | null)?.items.find((each: Pair) => isScalar(each.key) && each.key.value === key);

const isEmpty = (pair: Pair | undefined): boolean =>
  (isSeq(pair?.value) && pair.value.items.length === 0) || (isScalar(pair?.value) && pair.value.value === null);

/** JSON, or a text that ends with more than its values. */
const isInOneLine = (document: Document): boolean =>
  (document.contents as YAMLMap | null)?.flow === true || document.directives?.docEnd === true;

const reformatted = (document: Document): string => document.toString({ lineWidth: 0, indentSeq: false });

const append = (text: string, lines: string): string => splice(text, text.length, text.length, lines);

function splice(text: string, from: number, to: number, written: string): string {
  const [before, after] = [text.slice(0, from), text.slice(to)];
  const isLine = written.endsWith("\n") && !written.startsWith(":");
  return `${before}${isLine && before !== "" && !before.endsWith("\n") ? "\n" : ""}${written}${after}`;
}
