/** The properties of the resource types as data: served as Pulumi's package schema and used by `checkInputs`. */

interface Described {
  readonly description?: string;
  readonly secret?: boolean;
}

export type PropertySchema = Described &
  (
    | { readonly type: "string" | "boolean" | "number" | "integer" | "any" }
    | { readonly type: "array"; readonly items: PropertySchema }
    | { readonly type: "map"; readonly values: PropertySchema }
    | ObjectSchema
  );

export interface ObjectSchema extends Described {
  readonly type: "object";
  /** Name of the object type within the package, e.g. `Nic`. */
  readonly name: string;
  readonly properties: Readonly<Record<string, PropertySchema>>;
  readonly optional?: readonly string[];
}

export interface ResourceSchema {
  readonly description: string;
  readonly inputs: Readonly<Record<string, PropertySchema>>;
  readonly optional?: readonly string[];
  /** Inputs that only the creation reads: changing them is no difference, and they are not outputs. */
  readonly createOnly?: readonly string[];
  /** Inputs of which the engine keeps no second copy as outputs. */
  readonly inputOnly?: readonly string[];
  /** In addition to the other inputs, which are outputs as well. */
  readonly outputs?: Readonly<Record<string, PropertySchema>>;
}

type Json = Record<string, unknown>;

/** The package's schema in Pulumi's JSON form. */
export function packageSchema(
  name: string,
  version: string,
  resources: Readonly<Record<string, ResourceSchema | undefined>>,
): Json {
  const types: Json = {};
  const entries = Object.entries(resources).map(([token, schema]) => [token, resourceJson(name, schema, types)]);
  return { name, version, resources: Object.fromEntries(entries), types };
}

function resourceJson(packageName: string, schema: ResourceSchema | undefined, types: Json): Json {
  if (!schema) return { isComponent: false };
  const inputOnly = [...(schema.createOnly ?? []), ...(schema.inputOnly ?? [])];
  const kept = Object.entries(schema.inputs).filter(([key]) => !inputOnly.includes(key));
  const outputs = { ...Object.fromEntries(kept), ...schema.outputs };
  const required = (properties: object): string[] =>
    Object.keys(properties).filter((key) => !schema.optional?.includes(key));
  return {
    isComponent: false,
    description: schema.description,
    inputProperties: propertiesJson(packageName, schema.inputs, types),
    requiredInputs: required(schema.inputs),
    properties: propertiesJson(packageName, outputs, types),
    required: required(outputs),
  };
}

function propertiesJson(packageName: string, properties: Readonly<Record<string, PropertySchema>>, types: Json): Json {
  return Object.fromEntries(
    Object.entries(properties).map(([key, schema]) => {
      const { description, secret } = schema;
      return [key, { ...typeJson(packageName, schema, types), description, ...(secret ? { secret } : {}) }];
    }),
  );
}

function typeJson(packageName: string, schema: PropertySchema, types: Json): Json {
  switch (schema.type) {
    case "array":
      return { type: "array", items: typeJson(packageName, schema.items, types) };
    case "map":
      return { type: "object", additionalProperties: typeJson(packageName, schema.values, types) };
    case "object": {
      const token = `${packageName}:index:${schema.name}`;
      types[token] ??= {
        type: "object",
        description: schema.description,
        properties: propertiesJson(packageName, schema.properties, types),
        required: Object.keys(schema.properties).filter((key) => !schema.optional?.includes(key)),
      };
      return { $ref: `#/types/${token}` };
    }
    case "any":
      return { $ref: "pulumi.json#/Any" };
    default:
      return { type: schema.type };
  }
}
