import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { callContext, type ResourceRequest } from "./call-context";
import { diffResponse } from "./diff-response";
import { EngineConnection } from "./engine-connection";
import { packageSchema } from "./package-schema";
import { type Decoded, decode, encode } from "./property-values";
import {
  type Context,
  PartialFailure,
  type ProviderDefinition,
  type ReadState,
  type ResourceHandler,
} from "./resource-handler";
import { decodeChecked, decodeStored, encodeChecked, encodeState, oldState, storedFailure } from "./stored-state";

/** Pulumi's provider protocol for a set of resource handlers: wire handling only, one method per RPC. */
export class ProviderServer {
  private readonly cancellation = new AbortController();
  private engine: EngineConnection | undefined;

  /** `onEngineLost` is called when the engine has ended without a cancellation; all calls are aborted by then. */
  constructor(
    private readonly definition: ProviderDefinition,
    private readonly onEngineLost: () => void = () => undefined,
  ) {}

  connectEngine(address: string): void {
    this.engine ??= new EngineConnection(address, () => {
      this.cancellation.abort(new Error("the engine has ended"));
      this.onEngineLost();
    });
  }

  async handshake(request: pb.ProviderHandshakeRequest): Promise<pb.ProviderHandshakeResponse> {
    if (request.getEngineAddress()) this.connectEngine(request.getEngineAddress());
    const response = new pb.ProviderHandshakeResponse();
    response.setAcceptSecrets(true);
    return response;
  }

  async getPluginInfo(): Promise<PluginInfo> {
    const response = new PluginInfo();
    response.setVersion(this.definition.version);
    return response;
  }

  async getSchema(): Promise<pb.GetSchemaResponse> {
    const { name, version, resources } = this.definition;
    const schemas = Object.fromEntries(Object.entries(resources).map(([token, handler]) => [token, handler.schema]));
    const response = new pb.GetSchemaResponse();
    response.setSchema(JSON.stringify(packageSchema(name, version, schemas)));
    return response;
  }

  async checkConfig(request: pb.CheckRequest): Promise<pb.CheckResponse> {
    const response = new pb.CheckResponse();
    response.setInputs(request.getNews());
    return response;
  }

  async diffConfig(): Promise<pb.DiffResponse> {
    const response = new pb.DiffResponse();
    response.setChanges(pb.DiffResponse.DiffChanges.DIFF_NONE);
    return response;
  }

  async configure(request: pb.ConfigureRequest): Promise<pb.ConfigureResponse> {
    await this.definition.configure?.(decode(request.getArgs()).properties);
    const response = new pb.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    return response;
  }

  async invoke(request: pb.InvokeRequest): Promise<pb.InvokeResponse> {
    const invoke = this.definition.invokes?.[request.getTok()];
    if (!invoke) throw new Error(`${this.definition.name} has no function ${request.getTok()}`);
    const args = decode(request.getArgs());
    const result = await invoke(args.properties, this.context({}));
    const response = new pb.InvokeResponse();
    response.setReturn(encode(result, args.secretPaths.size > 0 ? Object.keys(result) : []));
    return response;
  }

  async check(request: pb.CheckRequest): Promise<pb.CheckResponse> {
    const context = this.context(request);
    const handler = this.handler(context);
    const news = decode(request.getNews());
    const known = decodeStored(handler, request.getOlds()).properties;
    // The engine sends no inputs for a resource that it does not have in its state.
    const olds = Object.keys(known).length > 0 ? known : undefined;
    const { inputs, failures = [] } = await handler.check(news.properties, context, olds);
    const response = new pb.CheckResponse();
    response.setInputs(encodeChecked(handler, inputs, news));
    response.setFailuresList(
      failures.map(({ property, reason }) => {
        const failure = new pb.CheckFailure();
        failure.setProperty(property);
        failure.setReason(reason);
        return failure;
      }),
    );
    return response;
  }

  async diff(request: pb.DiffRequest): Promise<pb.DiffResponse> {
    const handler = this.handler(this.context(request));
    const oldInputs = decodeStored(handler, request.getOldInputs()).properties;
    const news = decodeChecked(handler, request.getNews()).properties;
    return diffResponse(handler, oldInputs, news, request.getIgnorechangesList());
  }

  async create(request: pb.CreateRequest): Promise<pb.CreateResponse> {
    const context = this.context(request);
    const handler = this.handler(context);
    const inputs = decodeChecked(handler, request.getProperties());
    const state = await this.withPartialFailures(handler, [inputs], () =>
      handler.create(inputs.properties, request.getPreview(), context),
    );
    const response = new pb.CreateResponse();
    response.setId(state.id);
    response.setProperties(encodeState(handler, state.outputs, [inputs]));
    response.setRefreshBeforeUpdate(handler.refreshBeforeUpdate);
    return response;
  }

  async read(request: pb.ReadRequest): Promise<pb.ReadResponse> {
    const context = this.context(request);
    const handler = this.handler(context);
    const inputs = decodeStored(handler, request.getInputs());
    const outputs = decodeStored(handler, request.getProperties());
    const unchanged: ReadState = { id: request.getId(), inputs: inputs.properties, outputs: outputs.properties };
    const state = await this.withPartialFailures(handler, [inputs, outputs], async () =>
      handler.read ? handler.read(request.getId(), inputs.properties, outputs.properties, context) : unchanged,
    );
    const response = new pb.ReadResponse();
    if (!state) return response; // an empty id means that the object does not exist
    response.setId(state.id);
    response.setInputs(encodeState(handler, state.inputs, [inputs]));
    response.setProperties(encodeState(handler, state.outputs, [inputs, outputs]));
    response.setRefreshBeforeUpdate(handler.refreshBeforeUpdate);
    return response;
  }

  async update(request: pb.UpdateRequest): Promise<pb.UpdateResponse> {
    const context = this.context(request);
    const handler = this.handler(context);
    if (!handler.update) throw new Error(`${context.type} cannot be changed in place`);
    const update = handler.update.bind(handler);
    const news = decodeChecked(handler, request.getNews());
    const olds = oldState(handler, request.getOldInputs(), request.getOlds());
    const outputs = await this.withPartialFailures(handler, [news], () =>
      update(request.getId(), news.properties, olds, request.getPreview(), context),
    );
    const response = new pb.UpdateResponse();
    response.setProperties(encodeState(handler, outputs, [news]));
    response.setRefreshBeforeUpdate(handler.refreshBeforeUpdate);
    return response;
  }

  async delete(request: pb.DeleteRequest): Promise<Empty> {
    const context = this.context(request);
    const handler = this.handler(context);
    const olds = oldState(handler, request.getOldInputs(), request.getProperties());
    await handler.delete(request.getId(), olds, context);
    return new Empty();
  }

  async cancel(): Promise<Empty> {
    this.cancellation.abort(new Error("cancelled"));
    return new Empty();
  }

  private context(request: ResourceRequest): Context {
    return callContext(request, this.cancellation.signal, () => this.engine);
  }

  private handler({ type }: Context): ResourceHandler {
    const { resources, formerTypes } = this.definition;
    const handler = resources[formerTypes?.[type] ?? type];
    if (!handler) throw new Error(`${this.definition.name} has no resource type ${type}`);
    return handler;
  }

  private async withPartialFailures<T>(
    handler: ResourceHandler,
    from: readonly Decoded[],
    call: () => Promise<T>,
  ): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof PartialFailure)) throw error;
      throw storedFailure(handler, error, from);
    }
  }
}
