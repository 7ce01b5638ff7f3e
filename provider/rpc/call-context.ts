import type { EngineConnection } from "./engine-connection";
import type { Context } from "./resource-handler";

/** The common part of all requests for a resource. */
export interface ResourceRequest {
  getUrn?(): string;
  getName?(): string;
  getType?(): string;
  getTimeout?(): number;
}

/** Builds a call's context; for older engines, which send no name and type, they come from the URN. */
export function callContext(
  request: ResourceRequest,
  cancelled: AbortSignal,
  engine: () => EngineConnection | undefined,
): Context {
  const urn = request.getUrn?.() ?? "";
  const timeoutSeconds = request.getTimeout?.() ?? 0;
  return {
    urn,
    name: request.getName?.() || urn.split("::")[3] || "",
    type: request.getType?.() || urn.split("::")[2]?.split("$").pop() || "",
    timeoutSeconds,
    signal: timeoutSeconds > 0 ? AbortSignal.any([cancelled, AbortSignal.timeout(timeoutSeconds * 1000)]) : cancelled,
    log: (severity, message, ephemeral = false) => engine()?.log(urn, severity, message, ephemeral),
  };
}
