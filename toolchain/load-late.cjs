// Loaded before the Pulumi program (Pulumi.yaml, nodeargs). @pulumi/pulumi begins by loading the TypeScript compiler and
// npm's dependency solver, a tenth of the time of a whole `preview`, for a thing that this program never does: turning
// functions into text. They are loaded when first used.
const Module = require("node:module");

const load = Module._load;
const late = new Set(["typescript", "@npmcli/arborist"]);
const isPulumis = (file) => /[\\/]node_modules[\\/]@pulumi[\\/]pulumi[\\/]/.test(file ?? "");

Module._load = function loadLate(request, parent, isMain) {
  if (!late.has(request) || !isPulumis(parent?.filename)) return load.call(this, request, parent, isMain);
  const loaded = () => load.call(this, request, parent, isMain);
  // `__esModule`: taken as it is, not copied property by property, which would load it.
  return new Proxy(
    {},
    { get: (_, name) => name === "__esModule" || loaded()[name], has: (_, name) => name in loaded() },
  );
};
