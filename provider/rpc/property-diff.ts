import { isObject, type PropertyValue, propertyPath } from "./property-values";

export type DifferenceKind = "add" | "delete" | "update";

/** Structural difference of two values by property path. An unknown value differs from everything except another unknown. */
export function differences(
  before: PropertyValue | undefined,
  after: PropertyValue | undefined,
  path = "",
): Map<string, DifferenceKind> {
  if (before === after) return new Map();
  if (before === undefined) return new Map([[path, "add"]]);
  if (after === undefined) return new Map([[path, "delete"]]);
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return merged([...keys].map((key) => differences(before[key], after[key], propertyPath(path, key))));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return merged(
      Array.from({ length }, (_, index) => differences(before[index], after[index], propertyPath(path, index))),
    );
  }
  return new Map([[path, "update"]]);
}

function merged(parts: readonly Map<string, DifferenceKind>[]): Map<string, DifferenceKind> {
  return new Map(parts.flatMap((part) => [...part]));
}
