import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Decoded, decode, type Properties, topLevelKey } from "./property-values";
import type { OldState, ResourceHandler } from "./resource-handler";

/** Properties that the engine stored, with their present names and without those that no longer exist. */
export function decodeStored({ formerProperties = {} }: ResourceHandler, stored: Struct | undefined): Decoded {
  const { properties, secretPaths } = decode(stored);
  const present = (key: string): string => formerProperties[key] ?? key;
  const remains = (key: string): boolean => formerProperties[key] !== null;
  const kept = Object.entries(properties).filter(([key]) => remains(key));
  return {
    properties: Object.fromEntries(kept.map(([key, value]) => [present(key), value])),
    secretPaths: new Set(
      [...secretPaths].filter((path) => remains(topLevelKey(path))).map((path) => renamedPath(path, present)),
    ),
  };
}

function renamedPath(path: string, present: (key: string) => string): string {
  const key = topLevelKey(path);
  return path.startsWith(key) ? present(key) + path.slice(key.length) : path;
}

/** The engine's state of a resource before this call. */
export function oldState(handler: ResourceHandler, inputs: Struct | undefined, outputs: Struct | undefined): OldState {
  return { inputs: decodeStored(handler, inputs).properties, outputs: decodeStored(handler, outputs).properties };
}

/** The secret paths in `properties`, derived from the values that they were computed from. */
export function secretPaths(handler: ResourceHandler, properties: Properties, from: readonly Decoded[]): Set<string> {
  const paths = new Set([...(handler.alwaysSecret ?? []), ...from.flatMap((decoded) => [...decoded.secretPaths])]);
  return handler.taintOutputs && paths.size > 0 ? new Set(Object.keys(properties)) : paths;
}
