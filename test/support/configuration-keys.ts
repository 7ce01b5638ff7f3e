import * as z from "zod";
import { changeClasses, restartingDrivers } from "../../model/change-classes";
import { changeOfKey } from "../../model/configuration-changes";
import type { ChangeCase } from "../../model/key-changes";
import { type PoolName, poolNames } from "../../model/roles";
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

/** Three tables: the pools with their defaults, every other key, and the classes of changes. */
export function renderConfigurationKeys(): string {
  const { properties = {} } = z.toJSONSchema(configurationSchema, { io: "input" }) as Node;
  const { pools = {}, ...others } = properties;
  const poolOf = Object.entries(pools.properties ?? {});
  const rows = poolOf.map(([name, { description = "", properties: keys = {} }]) => [
    `\`pools.${name}\``,
    ...poolNumbers.map((key) => standardAndRange(key, keys[key] ?? {})),
    description,
  ]);
  const ofEvery = ([key]: readonly [string, Node]): boolean =>
    poolOf.every(([, { properties: own = {} }]) => Object.hasOwn(own, key));
  const common = Object.fromEntries(Object.entries(poolOf[0]?.[1].properties ?? {}).filter(ofEvery));
  const keys = [
    ...poolNumbers.map((key) => {
      const path = `pools.<pool>.${key}`;
      return [`\`${path}\``, "a whole number", "above", ...changeCells(path), common[key]?.description ?? ""];
    }),
    [
      ...["`pools.<pool>.volumes.<mount point>`", "a whole number, `5 GiB`", ""],
      ...changeCells("pools.<pool>.volumes./"),
      common.volumes?.description ?? "",
    ],
    ...keyRows("pools.<pool>.disks", common.disks ?? {}),
    ...poolOf.flatMap(([name, { properties: own = {} }]) =>
      Object.entries(own)
        .filter(([key]) => !Object.hasOwn(common, key))
        .flatMap(([key, node]) => keyRows(`pools.${name}.${key}`, node)),
    ),
    ...Object.entries(others).flatMap(([name, node]) => keyRows(name, node)),
  ];
  return [
    markdownTable(["pool", ...poolNumbers, "is"], rows),
    markdownTable(["key", "takes", "default", "a change is", "is"], keys),
    markdownTable(
      ["class", "a change of it on a running stack"],
      Object.entries(changeClasses).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
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
  ...changeCells(path),
  (node.description ?? "").replaceAll("<", "&lt;"),
];

/** Of a list the class of its entries; of a count, the classes of its pools. */
function changeCells(path: string): readonly string[] {
  if (path === "pools.<pool>.count") return [countCells()];
  const change =
    changeOfKey(path) ??
    ["", ".name", ".segment", ".from", ".nodePort", ".address"]
      .map((part) => changeOfKey(`${path}[]${part}`))
      .find(Boolean);
  if (!change) throw new Error(`${path} has no change class`);
  const drivers = change.class === "live" ? restartingDrivers(change) : [];
  const restarts = drivers.length === 0 ? "" : `; ${drivers.join(", ")}: \`rolling\``;
  return [`\`${change.class}\`${restarts}${(change.cases ?? []).map((one) => `; ${caseText(one)}`).join("")}`];
}

const caseText = ({ when, class: name }: ChangeCase): string => `${when}: \`${name}\``;

function countCells(): string {
  const changeOf = (pool: PoolName) => changeOfKey(`pools.${pool}.count`);
  const found = [...new Set(poolNames.map((pool) => changeOf(pool)?.class))];
  const classes = found.map(
    (name) => `${poolNames.filter((pool) => changeOf(pool)?.class === name).join(", ")}: \`${name}\``,
  );
  const cases = poolNames.flatMap((pool) => (changeOf(pool)?.cases ?? []).map((one) => `${pool} ${caseText(one)}`));
  return [...classes, ...cases].join("; ");
}

const defaultOf = (node: Node): string => (node.default === undefined ? "" : `\`${JSON.stringify(node.default)}\``);

function takes({ enum: values, type = "", minimum, maximum }: Node): string {
  if (values) return values.map((value) => `\`${value}\``).join(", ");
  if (minimum === undefined) return type;
  return minimum === maximum ? String(minimum) : `${minimum} to ${maximum}`;
}
