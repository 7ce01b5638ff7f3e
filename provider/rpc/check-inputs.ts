import type { PropertySchema, ResourceSchema } from "./package-schema";
import { isObject, type Properties, type PropertyValue, propertyPath, UNKNOWN } from "./property-values";
import type { CheckFailure } from "./resource-handler";

/** All deviations of `inputs` from the schema: missing, unknown or wrongly typed properties. Unknown values pass. */
export function checkInputs(schema: ResourceSchema, inputs: Properties): CheckFailure[] {
  return checkObject(schema.inputs, schema.optional ?? [], inputs, "");
}

function checkObject(
  properties: Readonly<Record<string, PropertySchema>>,
  optional: readonly string[],
  value: Properties,
  path: string,
): CheckFailure[] {
  const missing = Object.keys(properties).filter((key) => value[key] === undefined && !optional.includes(key));
  const failures = missing.map((key) => ({ property: propertyPath(path, key), reason: "is missing" }));
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || key === "__defaults") continue;
    const schema = properties[key];
    const itemPath = propertyPath(path, key);
    if (schema) failures.push(...checkValue(schema, item, itemPath));
    else failures.push({ property: itemPath, reason: "is not a known property" });
  }
  return failures;
}

function checkValue(schema: PropertySchema, value: PropertyValue, path: string): CheckFailure[] {
  if (value === UNKNOWN) return [];
  const wrong = (wanted: string): CheckFailure[] => [{ property: path, reason: `must be ${wanted}` }];
  switch (schema.type) {
    case "array":
      if (!Array.isArray(value)) return wrong("a list");
      return value.flatMap((item, index) => checkValue(schema.items, item, propertyPath(path, index)));
    case "map":
      if (!isObject(value)) return wrong("a map");
      return Object.entries(value).flatMap(([key, item]) => checkValue(schema.values, item, propertyPath(path, key)));
    case "object":
      return isObject(value) ? checkObject(schema.properties, schema.optional ?? [], value, path) : wrong("an object");
    case "any":
      return [];
    case "integer":
      return Number.isInteger(value) ? [] : wrong("a whole number");
    default:
      return typeof value === schema.type ? [] : wrong(`a ${schema.type}`);
  }
}
