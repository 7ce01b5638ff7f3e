import { xmlText } from "../quoting";

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
}

export const element = (
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly XmlElement[]
): XmlElement => ({ name, attributes, children });

/** The element and all below it, one per line, two spaces per level. */
export function emitXml({ name, attributes, children }: XmlElement, indent = ""): string {
  const words = Object.entries(attributes).map(([key, value]) => ` ${key}="${xmlText(value)}"`);
  const open = `${indent}<${name}${words.join("")}`;
  if (children.length === 0) return `${open}/>\n`;
  return `${open}>\n${children.map((child) => emitXml(child, `${indent}  `)).join("")}${indent}</${name}>\n`;
}
