// Loaded before the Pulumi program (Pulumi.yaml, nodeargs). Node's `util.inspect(error, { colors: true })` does not end
// in reasonable time for a stack frame of the form `node_modules/@scope/file` without a further slash, and the source
// maps of @pulumi/pulumi name its top-level files so. Pulumi inspects every uncaught error this way: without the guard a
// program's error takes half a minute and gigabytes of memory. Such errors are inspected without colours instead.
const util = require("node:util");

const inspect = util.inspect;
const slowFrame = /node_modules\/@[^/\\]+\/[^/\\\n]*$/m;
const isSlow = (value, options) => options?.colors && value instanceof Error && slowFrame.test(String(value.stack));

util.inspect = Object.assign(
  (value, options, ...legacy) =>
    inspect(value, isSlow(value, options) ? { ...options, colors: false } : options, ...legacy),
  inspect,
);
