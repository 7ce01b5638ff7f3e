/** Where a value stands in the configuration: keys of mappings and positions in lists. */
export type ConfigurationPath = readonly (string | number)[];

/** `pools.storage.disks[0].name`; the configuration itself is `dataCenter`. */
export function formatPath(path: ConfigurationPath): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
  return text.replace(/^\./, "") || "dataCenter";
}

export function valueAt(value: unknown, path: ConfigurationPath): unknown {
  return path.reduce<unknown>(
    (at, part) => (isContainer(at) && Object.hasOwn(at, part) ? at[part as keyof typeof at] : undefined),
    value,
  );
}

/** A copy without what stands at the path; of a list nothing stays, so that no position ever shifts. */
export function withoutPath(value: unknown, path: ConfigurationPath): unknown {
  const [head, next] = path;
  if (head === undefined) return {};
  if (!isContainer(value) || !Object.hasOwn(value, head)) return value;
  const { [head]: inner, ...others } = value as Readonly<Record<string | number, unknown>>;
  if (next === undefined || typeof next === "number") return others;
  return { ...others, [head]: withoutPath(inner, path.slice(1)) };
}

export const startsWith = (path: ConfigurationPath, start: ConfigurationPath): boolean =>
  start.every((part, position) => path[position] === part);

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null;
