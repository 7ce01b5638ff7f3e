import * as grpc from "@grpc/grpc-js";
import * as language from "@pulumi/pulumi/proto/language_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { runChild, signalChildren } from "./child-processes";
import { generateProgram } from "./generate-program";
import { programDependencies, requiredPackages } from "./installed-packages";
import { runPlugin } from "./run-plugin";
import { runProgram } from "./run-program";

type Unary<Request, Response> = grpc.handleUnaryCall<Request, Response>;
type Streaming<Request, Response> = grpc.handleServerStreamingCall<Request, Response>;

/**
 * Pulumi's LanguageRuntime service for Node programs: what `pulumi up`, `preview`, `import`, `about` and `install` need from
 * a host. Requests to generate projects (`pulumi convert`) or SDKs (`pulumi package gen-sdk`) are refused with the next step.
 */
export class LanguageRuntime {
  constructor(
    private readonly version: string,
    private engineAddress: string,
  ) {}

  service(): grpc.UntypedServiceImplementation {
    return {
      handshake: unary((request: language.LanguageHandshakeRequest) => this.handshake(request)),
      getPluginInfo: unary(() => this.pluginInfo()),
      getRequiredPackages: unary(describeRequiredPackages),
      run: unary((request: language.RunRequest) => this.run(request)),
      about: unary(describeRuntime),
      getProgramDependencies: unary(describeDependencies),
      generateProgram: unary(declareImports),
      generateProject: refuseToGenerate("projects"),
      generatePackage: refuseToGenerate("SDKs"),
      runtimeOptionsPrompts: unary(() => new language.RuntimeOptionsResponse()),
      template: unary(() => new language.TemplateResponse()),
      cancel: unary(cancel),
      installDependencies,
      runPlugin: servePlugin,
    };
  }

  private handshake(request: language.LanguageHandshakeRequest): language.LanguageHandshakeResponse {
    this.engineAddress = request.getEngineAddress() || this.engineAddress;
    return new language.LanguageHandshakeResponse();
  }

  private pluginInfo(): plugin.PluginInfo {
    const response = new plugin.PluginInfo();
    response.setVersion(this.version);
    return response;
  }

  private async run(request: language.RunRequest): Promise<language.RunResponse> {
    const result = await runProgram(request, this.engineAddress);
    const response = new language.RunResponse();
    response.setError(result.error);
    response.setBail(result.bail);
    return response;
  }
}

function unary<Request, Response>(
  answer: (request: Request) => Response | Promise<Response>,
): Unary<Request, Response> {
  return (call, reply) => {
    Promise.resolve()
      .then(() => answer(call.request))
      .then(
        (response) => reply(null, response),
        (error: Error) => reply({ code: grpc.status.UNKNOWN, details: error.message }),
      );
  };
}

function describeRequiredPackages(request: language.GetRequiredPackagesRequest): language.GetRequiredPackagesResponse {
  const response = new language.GetRequiredPackagesResponse();
  for (const required of requiredPackages(request.getInfo()?.getProgramDirectory() ?? "")) {
    const dependency = new plugin.PackageDependency();
    dependency.setKind("resource");
    dependency.setName(required.name);
    dependency.setVersion(required.version);
    dependency.setServer(required.server);
    response.addPackages(dependency);
  }
  return response;
}

function describeRuntime(): language.AboutResponse {
  const response = new language.AboutResponse();
  response.setExecutable(process.execPath);
  response.setVersion(process.version);
  return response;
}

function describeDependencies(
  request: language.GetProgramDependenciesRequest,
): language.GetProgramDependenciesResponse {
  const response = new language.GetProgramDependenciesResponse();
  for (const { name, version } of programDependencies(request.getInfo()?.getProgramDirectory() ?? "")) {
    const dependency = new language.DependencyInfo();
    dependency.setName(name);
    dependency.setVersion(version);
    response.addDependencies(dependency);
  }
  return response;
}

function declareImports(request: language.GenerateProgramRequest): language.GenerateProgramResponse {
  const sources = request.getSourceMap().getEntryList();
  const response = new language.GenerateProgramResponse();
  const text = generateProgram(sources.map(([, source]) => source));
  response.getSourceMap().set("index.ts", Buffer.from(text));
  return response;
}

/** The status of a method that is missing, with words for the user: Pulumi shows them. */
const refuseToGenerate =
  (what: string): Unary<unknown, unknown> =>
  (_, reply) =>
    reply({
      code: grpc.status.UNIMPLEMENTED,
      details:
        `groundplane's Node.js host of Pulumi does not generate ${what}; ` +
        "use an official Pulumi: https://www.pulumi.com/docs/install/",
    });

/** The first Ctrl-C ends the program as on a terminal. */
function cancel(): Empty {
  signalChildren("SIGINT");
  return new Empty();
}

const installDependencies: Streaming<language.InstallDependenciesRequest, language.InstallDependenciesResponse> = (
  call,
) => {
  const write = (set: "setStdout" | "setStderr") => (chunk: Buffer) => {
    const response = new language.InstallDependenciesResponse();
    response[set](chunk);
    call.write(response);
  };
  const folder = call.request.getInfo()?.getProgramDirectory() ?? "";
  runChild("npm", ["install", "--no-fund", "--no-audit"], {
    folder,
    environment: process.env,
    onStdout: write("setStdout"),
    onStderr: write("setStderr"),
  }).then(
    ({ code }) => (code === 0 ? call.end() : failStream(call, `npm install ended with code ${code}`)),
    (error: Error) => failStream(call, error.message),
  );
};

const servePlugin: Streaming<language.RunPluginRequest, language.RunPluginResponse> = (call) => {
  const write = (set: "setStdout" | "setStderr") => (chunk: Buffer) => {
    const response = new language.RunPluginResponse();
    response[set](chunk);
    call.write(response);
  };
  runPlugin(call.request, { onStdout: write("setStdout"), onStderr: write("setStderr") }).then(
    (code) => {
      const response = new language.RunPluginResponse();
      response.setExitcode(code);
      call.write(response);
      call.end();
    },
    (error: Error) => failStream(call, error.message),
  );
};

function failStream(
  call: { emit(event: "error", status: Partial<grpc.StatusObject>): boolean },
  details: string,
): void {
  call.emit("error", { code: grpc.status.UNKNOWN, details });
}
