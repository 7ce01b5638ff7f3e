import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Decoded, decode, type Properties } from "./property-values";
import type { OldState, ResourceHandler } from "./resource-handler";

/** What the engine knew of a resource before this call. */
export function oldState(inputs: Struct | undefined, outputs: Struct | undefined): OldState {
  return { inputs: decode(inputs).properties, outputs: decode(outputs).properties };
}

/** What of `properties` is secret, given what was in the values that they were made from. */
export function secretPaths(handler: ResourceHandler, properties: Properties, from: readonly Decoded[]): Set<string> {
  const paths = new Set([...(handler.alwaysSecret ?? []), ...from.flatMap((decoded) => [...decoded.secretPaths])]);
  return handler.taintOutputs && paths.size > 0 ? new Set(Object.keys(properties)) : paths;
}
