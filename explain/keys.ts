import * as z from "zod";
import { changeClasses } from "../model/change-classes";
import { changeOfKey } from "../model/configuration-changes";
import { configurationSchema } from "../stacks/config/configuration-schema";
import { type Explanation, filled } from "./explanation";
import { onStack, type Subject } from "./subject";

/** The part of a JSON schema that is explained. */
interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Node[];
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
}

/** Every value of the configuration by path, e.g. `pools.workers.count`, `network.flows[].from`. */
export const configurationKeys: ReadonlyMap<string, Node> = new Map(
  entriesOf("", z.toJSONSchema(configurationSchema, { io: "input" }) as Node, undefined),
);

function entriesOf(path: string, node: Node, inherited: string | undefined): readonly (readonly [string, Node])[] {
  const description = node.description ?? inherited;
  if (node.properties)
    return Object.entries(node.properties).flatMap(([key, child]) =>
      entriesOf(path === "" ? key : `${path}.${key}`, child, description),
    );
  if (typeof node.additionalProperties === "object")
    return entriesOf(`${path}.<mount point>`, node.additionalProperties, description);
  if (node.items?.properties) return entriesOf(`${path}[]`, node.items, description);
  return [
    [node.items ? `${path}[]` : path, { ...node.items, ...node, ...(description !== undefined && { description }) }],
  ];
}

export function explainKey(subject: Subject, path: string): Explanation {
  const node = configurationKeys.get(path) ?? {};
  const change = changeOfKey(path.replace("<mount point>", "/"));
  const { stack } = subject.plan;
  return {
    kind: "key",
    name: path,
    is: node.description ?? "",
    sections: filled([
      {
        title: `In stacks/Pulumi.${stack}.yaml`,
        rows: [
          ["takes", takes(node)],
          ...(node.default === undefined ? [] : ([["default", JSON.stringify(node.default)]] as const)),
          ["in effect", valuesOf(subject, path)],
        ],
      },
      change && {
        title: "A change on a running stack",
        rows: [
          [change.class, changeClasses[change.class]],
          ["effect", change.effect],
          ...(change.cases ?? []).map((each) => [each.when, `${each.class}: ${each.effect}`] as const),
        ],
      },
      { title: "See it", commands: [onStack(subject, "preview"), onStack(subject, "diagram")] },
    ]),
  };
}

function valuesOf({ plan }: Subject, path: string): string {
  const pattern = path
    .split(/(\[\]|<mount point>)/)
    .map((part) => wildcards[part] ?? part.replaceAll(/[.*+?^$()|[\]\\{}]/g, "\\$&"));
  const matches = new RegExp(`^${pattern.join("")}$`);
  const found = Object.entries(plan.settings).filter(([key]) => matches.test(key));
  return found.length === 0 ? "the default, or without effect here" : found.map(([, value]) => value).join(", ");
}

const wildcards: Readonly<Record<string, string>> = { "[]": "\\[\\d+\\]", "<mount point>": ".+" };

function takes({ enum: values, anyOf, type = "a value", minimum, maximum }: Node): string {
  if (values) return values.join(", ");
  if (anyOf) return anyOf.map(takes).join(", or ");
  if (minimum === undefined) return type;
  return minimum === maximum ? String(minimum) : `${minimum} to ${maximum}`;
}
