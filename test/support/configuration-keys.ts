import * as z from "zod";
import { configurationSchema } from "../../stacks/config/configuration-schema";
import { markdownTable } from "./documents";

/** The part of a JSON schema that the document shows. */
interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

const poolNumbers = ["count", "cpus", "memoryMiB", "diskGiB"] as const;

/** Two tables: the pools with their defaults, and every other key. */
export function renderConfigurationKeys(): string {
  const { properties = {} } = z.toJSONSchema(configurationSchema, { io: "input" }) as Node;
  const { pools = {}, ...others } = properties;
  const poolOf = Object.entries(pools.properties ?? {});
  const rows = poolOf.map(([name, { description = "", properties: keys = {} }]) => [
    `\`pools.${name}\``,
    ...poolNumbers.map((key) => standardAndRange(key, keys[key] ?? {})),
    description,
  ]);
  const common = poolOf[0]?.[1].properties ?? {};
  const keys = [
    ...poolNumbers.map((key) => [`\`pools.<pool>.${key}\``, "a whole number", "above", common[key]?.description ?? ""]),
    ...keyRows("pools.<pool>.disks", common.disks ?? {}),
    ...Object.entries(others).flatMap(([name, node]) => keyRows(name, node)),
  ];
  return [
    markdownTable(["pool", ...poolNumbers, "is"], rows),
    markdownTable(["key", "takes", "default", "is"], keys),
  ].join("\n");
}

/** Only the allowed count differs between pools. */
const standardAndRange = (key: string, node: Node): string =>
  key === "count" ? `${node.default} (${takes(node)})` : String(node.default);

function keyRows(path: string, node: Node): readonly (readonly string[])[] {
  if (node.properties)
    return Object.entries(node.properties).flatMap(([key, child]) => keyRows(`${path}.${key}`, child));
  const inner = node.items ? keyRows(`${path}[]`, node.items) : [];
  return [keyRow(path, node), ...inner];
}

/** An unescaped `<` would begin an HTML element. */
const keyRow = (path: string, node: Node): readonly string[] => [
  `\`${path}\``,
  takes(node),
  defaultOf(node),
  (node.description ?? "").replaceAll("<", "&lt;"),
];

const defaultOf = (node: Node): string => (node.default === undefined ? "" : `\`${JSON.stringify(node.default)}\``);

function takes({ enum: values, type = "", minimum, maximum }: Node): string {
  if (values) return values.map((value) => `\`${value}\``).join(", ");
  if (minimum === undefined) return type;
  return minimum === maximum ? String(minimum) : `${minimum} to ${maximum}`;
}
