import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/**
 * Converts between plain JavaScript and the wire format of Pulumi's property values. On the wire, special values mark unknowns
 * and secrets. Handlers see a symbol for an unknown and the plain value of a secret: the secret paths are kept separately and
 * applied again to the outputs.
 */

const UNKNOWN_ON_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** A value that is unknown until the deployment has run; occurs in previews only. */
export const UNKNOWN: unique symbol = Symbol("unknown");

export type PropertyValue =
  | null
  | boolean
  | number
  | string
  | typeof UNKNOWN
  | readonly PropertyValue[]
  | { readonly [key: string]: PropertyValue };
export type Properties = { readonly [key: string]: PropertyValue };

export interface Decoded {
  readonly properties: Properties;
  /** Paths (`propertyPath`) of the values that were secret. */
  readonly secretPaths: ReadonlySet<string>;
}

/** Pulumi's notation for the path of a property: `seed.userData`, `nics[0].mac`, `values["etcd-ca.key"]`. */
export function propertyPath(parent: string, key: string | number): string {
  if (typeof key === "number") return `${parent}[${key}]`;
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${parent}["${key.replace(/["\\]/g, "\\$&")}"]`;
  return parent ? `${parent}.${key}` : key;
}

/** The top-level property of a path. */
export const topLevelKey = (path: string): string =>
  /^\["((?:[^"\\]|\\.)*)"\]/.exec(path)?.[1]?.replace(/\\(.)/g, "$1") ?? (path.split(/[.[]/, 1)[0] as string);

export function isObject(value: unknown): value is Record<string, PropertyValue> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function decodeValue(value: unknown, path: string, secretPaths: Set<string>): PropertyValue {
  if (value === UNKNOWN_ON_WIRE) return UNKNOWN;
  if (Array.isArray(value)) {
    return value.map((item, index) => decodeValue(item, propertyPath(path, index), secretPaths));
  }
  if (value === null || typeof value !== "object") return value as PropertyValue;
  const object = value as Record<string, unknown>;
  if (object[SIGNATURE_KEY] === SECRET_SIGNATURE) {
    secretPaths.add(path);
    return decodeValue(object.value, path, secretPaths);
  }
  return Object.fromEntries(
    Object.entries(object).map(([key, item]) => [key, decodeValue(item, propertyPath(path, key), secretPaths)]),
  );
}

export function decode(struct: Struct | undefined): Decoded {
  const secretPaths = new Set<string>();
  const properties = decodeValue(struct ? struct.toJavaScript() : {}, "", secretPaths) as Properties;
  return { properties, secretPaths };
}

function encodeValue(value: PropertyValue, path: string, secretPaths: ReadonlySet<string>): unknown {
  const plain = encodePlain(value, path, secretPaths);
  return path && secretPaths.has(path) ? { [SIGNATURE_KEY]: SECRET_SIGNATURE, value: plain } : plain;
}

function encodePlain(value: PropertyValue, path: string, secretPaths: ReadonlySet<string>): unknown {
  if (value === UNKNOWN) return UNKNOWN_ON_WIRE;
  if (Array.isArray(value)) {
    return value.map((item, index) => encodeValue(item, propertyPath(path, index), secretPaths));
  }
  if (!isObject(value)) return value;
  const known = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(known.map(([key, item]) => [key, encodeValue(item, propertyPath(path, key), secretPaths)]));
}

/** `secretPaths`: values to mark as secret; paths that do not occur in `properties` are ignored. */
export function encode(properties: Properties, secretPaths: Iterable<string> = []): Struct {
  // biome-ignore lint/suspicious/noExplicitAny: the library's own type of a JSON object
  return Struct.fromJavaScript(encodeValue(properties, "", new Set(secretPaths)) as Record<string, any>);
}
