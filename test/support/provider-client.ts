import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { VERSION_PROPERTY } from "../../model/formats";
import { type Decoded, decode as decodeAll, encode, type Properties } from "../../provider/rpc/property-values";
import { ProviderServer } from "../../provider/rpc/provider-server";
import type { ProviderDefinition } from "../../provider/rpc/resource-handler";
import { listen } from "../../provider/rpc/serve";

/** A provider on loopback and a client that calls it as the engine does. */
export interface ProviderClient {
  /** @param olds the inputs in the state, if there are any */
  check(
    type: string,
    news: Properties,
    olds?: Properties,
  ): Promise<{ inputs: Properties; failures: readonly string[] }>;
  /** The paths of inputs that are secret after a check. */
  secretsAfterCheck(type: string, news: Properties, secretPaths: readonly string[]): Promise<readonly string[]>;
  diff(
    type: string,
    oldInputs: Properties,
    news: Properties,
  ): Promise<{ changes: "none" | "some"; replaces: readonly string[]; paths: Readonly<Record<string, string>> }>;
  create(type: string, inputs: Properties, options?: CallOptions): Promise<{ id: string } & Decoded>;
  read(type: string, id: string, inputs: Properties, outputs: Properties): Promise<ReadAnswer>;
  update(type: string, id: string, olds: Properties, news: Properties, options?: CallOptions): Promise<Decoded>;
  delete(type: string, id: string, inputs: Properties): Promise<void>;
  schema(): Promise<{ resources: Record<string, { requiredInputs: string[] }>; types: Record<string, object> }>;
  cancel(): Promise<void>;
  stop(): void;
}

export interface CallOptions {
  readonly preview?: boolean;
  readonly secretPaths?: readonly string[];
}

export interface ReadAnswer extends Decoded {
  /** Empty if the object no longer exists. */
  readonly id: string;
  readonly inputs: Properties;
  readonly inputSecretPaths: ReadonlySet<string>;
}

/** The engine's information about a failure that leaves an object behind. */
export interface InitFailure {
  readonly id: string;
  readonly outputs: Properties;
  readonly refreshBeforeUpdate: boolean;
}

/** Without the version of the state, which test/contract/stored-versions.test.ts is about. */
function decode(struct: Parameters<typeof decodeAll>[0]): Decoded {
  const { properties, secretPaths } = decodeAll(struct);
  const { [VERSION_PROPERTY]: _version, ...others } = properties;
  return { properties: others, secretPaths };
}

const urnOf = (type: string): string => `urn:pulumi:dev::test::${type}::it`;

export async function providerClient(definition: ProviderDefinition): Promise<ProviderClient> {
  const { server, port } = await listen(new ProviderServer(definition));
  const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  // biome-ignore lint/suspicious/noExplicitAny: one caller for all RPCs
  const call = <R>(name: string, request: any): Promise<R> =>
    new Promise((resolve, reject) => {
      // biome-ignore lint/suspicious/noExplicitAny: as above
      (client as any)[name](request, (error: Error | null, response: R) => (error ? reject(error) : resolve(response)));
    });
  const kinds = Object.fromEntries(Object.entries(pb.PropertyDiff.Kind).map(([name, value]) => [value, name]));
  return {
    async check(type, news, olds) {
      const request = new pb.CheckRequest();
      request.setUrn(urnOf(type));
      request.setNews(encode(news));
      if (olds) request.setOlds(encode(olds));
      const response = await call<pb.CheckResponse>("check", request);
      const failures = response.getFailuresList().map((failure) => `${failure.getProperty()} ${failure.getReason()}`);
      return { inputs: decode(response.getInputs()).properties, failures };
    },
    async secretsAfterCheck(type, news, secretPaths) {
      const request = new pb.CheckRequest();
      request.setUrn(urnOf(type));
      request.setNews(encode(news, secretPaths));
      const response = await call<pb.CheckResponse>("check", request);
      return [...decode(response.getInputs()).secretPaths];
    },
    async diff(type, oldInputs, news) {
      const request = new pb.DiffRequest();
      request.setUrn(urnOf(type));
      request.setOldInputs(encode(oldInputs));
      request.setNews(encode(news));
      const response = await call<pb.DiffResponse>("diff", request);
      return {
        changes: response.getChanges() === pb.DiffResponse.DiffChanges.DIFF_NONE ? "none" : "some",
        replaces: response.getReplacesList(),
        paths: Object.fromEntries(
          [...response.getDetaileddiffMap().entries()].map(([path, detail]) => [path, kinds[detail.getKind()] ?? ""]),
        ),
      };
    },
    async create(type, inputs, { preview = false, secretPaths = [] } = {}) {
      const request = new pb.CreateRequest();
      request.setUrn(urnOf(type));
      request.setProperties(encode(inputs, secretPaths));
      request.setPreview(preview);
      const response = await call<pb.CreateResponse>("create", request);
      return { id: response.getId(), ...decode(response.getProperties()) };
    },
    async read(type, id, inputs, outputs) {
      const request = new pb.ReadRequest();
      request.setUrn(urnOf(type));
      request.setId(id);
      request.setInputs(encode(inputs));
      request.setProperties(encode(outputs));
      const response = await call<pb.ReadResponse>("read", request);
      const read = decode(response.getInputs());
      const readInputs = { inputs: read.properties, inputSecretPaths: read.secretPaths };
      return { id: response.getId(), ...readInputs, ...decode(response.getProperties()) };
    },
    async update(type, id, olds, news, { preview = false, secretPaths = [] } = {}) {
      const request = new pb.UpdateRequest();
      request.setUrn(urnOf(type));
      request.setId(id);
      request.setOlds(encode(olds));
      request.setOldInputs(encode(olds));
      request.setNews(encode(news, secretPaths));
      request.setPreview(preview);
      return decode((await call<pb.UpdateResponse>("update", request)).getProperties());
    },
    async delete(type, id, inputs) {
      const request = new pb.DeleteRequest();
      request.setUrn(urnOf(type));
      request.setId(id);
      request.setOldInputs(encode(inputs));
      request.setProperties(encode(inputs));
      await call("delete", request);
    },
    async schema() {
      const response = await call<pb.GetSchemaResponse>("getSchema", new pb.GetSchemaRequest());
      return JSON.parse(response.getSchema());
    },
    cancel: () => call("cancel", new Empty()),
    stop() {
      client.close();
      server.forceShutdown();
    },
  };
}

/** The object that a failed create, read or update leaves behind, or `undefined` for a plain failure. */
export function initFailureOf(error: unknown): InitFailure | undefined {
  const [bytes] = (error as grpc.ServiceError).metadata.get("grpc-status-details-bin");
  if (!bytes) return undefined;
  const [any] = Status.deserializeBinary(bytes as Buffer).getDetailsList();
  const detail = pb.ErrorResourceInitFailed.deserializeBinary(any?.getValue_asU8() as Uint8Array);
  return {
    id: detail.getId(),
    outputs: decode(detail.getProperties()).properties,
    refreshBeforeUpdate: detail.getRefreshBeforeUpdate(),
  };
}
