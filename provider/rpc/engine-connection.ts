import * as http2 from "node:http2";
import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { withoutCredentials } from "../../model/user-error";
import type { Severity } from "./resource-handler";

const SEVERITIES = {
  debug: LogSeverity.DEBUG,
  info: LogSeverity.INFO,
  warning: LogSeverity.WARNING,
  error: LogSeverity.ERROR,
} as const;

/** The connection to the engine: sends log messages and detects the end of the engine. */
export class EngineConnection {
  private readonly client: EngineClient;

  /** `onLost` is called once, when the engine's port closes. */
  constructor(address: string, onLost: () => void) {
    this.client = new EngineClient(address, grpc.credentials.createInsecure());
    // A CLI that is killed with SIGKILL sends no cancellation; its closed port is the only sign.
    const watch = http2.connect(`http://${address}`);
    watch.on("error", () => undefined);
    watch.on("close", onLost);
  }

  log(urn: string, severity: Severity, message: string, ephemeral: boolean): void {
    const request = new LogRequest();
    request.setSeverity(SEVERITIES[severity]);
    request.setMessage(withoutCredentials(message));
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    this.client.log(request, () => undefined);
  }

  close(): void {
    this.client.close();
  }
}
