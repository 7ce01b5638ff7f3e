import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as protobuf from "google-protobuf";
import { exemptLoopback } from "../../host/exempt-loopback.cjs";
import { quickenStrings } from "../../host/fast-strings.cjs";
import { failureStatus } from "./failure-status";
import { ProviderServer } from "./provider-server";
import type { ProviderDefinition } from "./resource-handler";

const MESSAGE_LIMIT = 400 * 1024 * 1024; // the engine's own

const METHODS = [
  "handshake",
  "getPluginInfo",
  "getSchema",
  "checkConfig",
  "diffConfig",
  "configure",
  "invoke",
  "check",
  "diff",
  "create",
  "read",
  "update",
  "delete",
  "cancel",
] as const;

// biome-ignore lint/suspicious/noExplicitAny: each RPC has its own request and response type
type AnyMethod = (request: any) => Promise<unknown>;

function implementation(provider: ProviderServer): grpc.UntypedServiceImplementation {
  const entries = METHODS.map((name) => {
    const method = (provider[name] as AnyMethod).bind(provider);
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const handle = (call: grpc.ServerUnaryCall<any, unknown>, done: grpc.sendUnaryData<unknown>): void => {
      method(call.request).then(
        (response) => done(null, response),
        (error) => done(error instanceof Error ? failureStatus(error) : error),
      );
    };
    return [name, handle] as const;
  });
  return Object.fromEntries(entries);
}

/** Serves a provider on a free port of 127.0.0.1 until the returned server is closed. */
export function listen(provider: ProviderServer): Promise<{ readonly server: grpc.Server; readonly port: number }> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MESSAGE_LIMIT,
    "grpc.max_send_message_length": MESSAGE_LIMIT,
  });
  server.addService(ResourceProviderService as unknown as grpc.ServiceDefinition, implementation(provider));
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve({ server, port });
    });
  });
}

/** The main function of a plugin process: prints the port, then serves calls until the engine ends it. */
export function servePlugin(definition: ProviderDefinition): void {
  exemptLoopback();
  quickenStrings(protobuf);
  const provider = new ProviderServer(definition, () => process.exit(0));
  const engineAddress = process.argv[2];
  if (engineAddress && /:\d+$/.test(engineAddress)) provider.connectEngine(engineAddress);
  listen(provider).then(
    // The engine reads only the port from stdout.
    ({ port }) => process.stdout.write(`${port}\n`),
    (error: Error) => {
      process.stderr.write(`${definition.name}: ${error.message}\n`);
      process.exit(1);
    },
  );
}
