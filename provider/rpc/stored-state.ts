import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { newerThanCode, type StateMigration, storedVersion, VERSION_PROPERTY, versionAfter } from "../../model/formats";
import { partialFailureStatus } from "./failure-status";
import { type Decoded, decode, encode, type Properties, topLevelKey } from "./property-values";
import { type OldState, PartialFailure, type ResourceHandler } from "./resource-handler";

/**
 * Properties that the engine stored, migrated to the present version and without it.
 * @throws UserError `newer-data`
 */
export function decodeStored(handler: ResourceHandler, stored: Struct | undefined): Decoded {
  const { migrations } = handler;
  const decoded = decode(stored);
  if (!migrations) return decoded;
  const { [VERSION_PROPERTY]: written, ...properties } = decoded.properties;
  const [version, known] = [storedVersion(written), versionAfter(migrations)];
  if (version > known) throw newerThanCode("the state of this resource", version, known);
  return migrations.slice(version - 1).reduce(migrated, { properties, secretPaths: decoded.secretPaths });
}

function migrated({ properties, secretPaths }: Decoded, names: StateMigration): Decoded {
  const present = (key: string): string => names[key] ?? key;
  const remains = (key: string): boolean => names[key] !== null;
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

/** Inputs as `check` returned them. They are of the present version. */
export function decodeChecked(handler: ResourceHandler, inputs: Struct | undefined): Decoded {
  const { properties, secretPaths } = decode(inputs);
  if (!handler.migrations) return { properties, secretPaths };
  const { [VERSION_PROPERTY]: _version, ...checked } = properties;
  return { properties: checked, secretPaths };
}

/** The result of `check` for the engine to store, with its version. */
export const encodeChecked = (handler: ResourceHandler, inputs: Properties, news: Decoded): Struct =>
  encode(versioned(handler, inputs), news.secretPaths);

/** Inputs or outputs for the engine to store, with their version. Secret is what the values are secret that they come `from`. */
export const encodeState = (handler: ResourceHandler, properties: Properties, from: readonly Decoded[]): Struct =>
  encode(versioned(handler, properties), secretPaths(handler, properties, from));

/** The status of a partial failure, with the state as the engine is to store it. */
export function storedFailure(
  handler: ResourceHandler,
  { message, state: { id, inputs, outputs }, reasons }: PartialFailure,
  from: readonly Decoded[],
): ReturnType<typeof partialFailureStatus> {
  const kept = { id, inputs: versioned(handler, inputs), outputs: versioned(handler, outputs) };
  const failure = new PartialFailure(message, kept, reasons);
  return partialFailureStatus(failure, secretPaths(handler, outputs, from), handler.refreshBeforeUpdate);
}

const versioned = ({ migrations }: ResourceHandler, properties: Properties): Properties =>
  migrations ? { ...properties, [VERSION_PROPERTY]: versionAfter(migrations) } : properties;

/** The secret paths in `properties`, derived from the values that they were computed from. */
export function secretPaths(handler: ResourceHandler, properties: Properties, from: readonly Decoded[]): Set<string> {
  const paths = new Set([...(handler.alwaysSecret ?? []), ...from.flatMap((decoded) => [...decoded.secretPaths])]);
  return handler.taintOutputs && paths.size > 0 ? new Set(Object.keys(properties)) : paths;
}
