// Loaded before the Pulumi program (Pulumi.yaml, nodeargs).
const Module = require("node:module");
const util = require("node:util");
const { quickenStrings } = require("../host/fast-strings.cjs");
const { prepareEnvironment } = require("../host/prepare-environment.cjs");

// The program talks to the engine over loopback, and asks programs of this host.
prepareEnvironment();

// Node's `util.inspect(error, { colors: true })` does not end in reasonable time for a stack frame of the form
// `node_modules/@scope/file` without a further slash, and the source maps of @pulumi/pulumi name its top-level files so.
// Pulumi inspects every uncaught error this way, so a program's error would take half a minute and gigabytes of memory.
// Such errors are inspected without colours instead.
const inspect = util.inspect;
const slowFrame = /node_modules\/@[^/\\]+\/[^/\\\n]*$/m;
const isSlow = (value, options) => options?.colors && value instanceof Error && slowFrame.test(String(value.stack));

util.inspect = Object.assign(
  (value, options, ...legacy) =>
    inspect(value, isSlow(value, options) ? { ...options, colors: false } : options, ...legacy),
  inspect,
);

// @pulumi/pulumi loads the TypeScript compiler and npm's dependency solver at its start, which takes a tenth of a whole
// `preview`. It needs them only to turn functions into text, which this program never does. The same holds for its automation API and for
// what exports traces. They load on first use.
const load = Module._load;
const traces = [
  "resources",
  "sdk-trace-base",
  "sdk-trace-node",
  "exporter-zipkin",
  "instrumentation",
  "instrumentation-grpc",
];
const late = new Set([
  "typescript",
  "@npmcli/arborist",
  "./automation",
  ...traces.map((name) => `@opentelemetry/${name}`),
]);
const isPulumis = (file) => /[\\/]node_modules[\\/]@pulumi[\\/]pulumi[\\/]/.test(file ?? "");

Module._load = function loadLate(request, parent, isMain) {
  if (request === "source-map-support/register" && isPulumis(parent?.filename))
    return translateShownStacks(load.call(this, request, parent, isMain));
  if (request === "inspector" && isPulumis(parent?.filename))
    return withLateDebugger(load.call(this, request, parent, isMain));
  if (request === "google-protobuf" && isPulumis(parent?.filename))
    return quickenStrings(load.call(this, request, parent, isMain));
  if (!late.has(request) || !isPulumis(parent?.filename)) return load.call(this, request, parent, isMain);
  const loaded = () => load.call(this, request, parent, isMain);
  // `__esModule`: the importer takes the module as it is instead of copying its properties, which would load it.
  return new Proxy(
    {},
    { get: (_, name) => name === "__esModule" || loaded()[name], has: (_, name) => name in loaded() },
  );
};

/**
 * Pulumi records the stack of each promise and each resource. source-map-support would translate every frame of these hundreds of
 * stacks to positions in the sources, which takes a third of the program's time. They come from errors without a message, which
 * are shown only on request (PULUMI_DEBUG_PROMISE_LEAKS). So the positions of resources that Pulumi's state records are those in the
 * bundle. Errors that are shown have a message.
 */
function translateShownStacks(registered) {
  if (process.env.PULUMI_DEBUG_PROMISE_LEAKS) return registered;
  const translate = Error.prepareStackTrace;
  const isShown = (error) => error.message !== "" || error.name !== "Error";
  Error.prepareStackTrace = (error, frames) =>
    isShown(error) || !translate ? translate?.(error, frames) : ["Error", ...frames].join("\n    at ");
  return registered;
}

/**
 * Pulumi also debugs its own process, to turn functions into text. A debugger hashes every script and keeps more about each function,
 * which takes a tenth of the program's time. It starts with the first question to it; it then learns of the scripts that exist.
 */
function withLateDebugger(inspector) {
  class LateSession extends inspector.Session {
    #isAsked = false;
    #isEnabled = false;

    post(method, ...rest) {
      const callback = rest.find((argument) => typeof argument === "function");
      if (method === "Debugger.enable" && !this.#isEnabled) {
        this.#isAsked = true;
        callback?.(null, {});
        return;
      }
      if (this.#isAsked && !this.#isEnabled) {
        this.#isEnabled = true;
        super.post("Debugger.enable");
      }
      super.post(method, ...rest);
    }
  }
  return { ...inspector, Session: LateSession };
}
