// Bundles the programs that Pulumi and npm start into dist/, one file each: a plugin's start is on
// every command's critical path, and one file loads several times faster than the hundreds it is made of. The program
// itself looks after its own bundle; making it here keeps the first `pulumi up` from having to.
const esbuild = require("esbuild");
const fs = require("node:fs");
const { programBundle } = require("./toolchain/program-bundle.cjs");

const entries = {
  provider: "provider/main.ts",
  "qemu-switch": "hypervisors/qemu/switch/main.ts",
  cli: "cli/main.ts",
  "api-probe": "verify/probe-thread.ts",
  "image-builder": "image/entry/build-as-root.ts",
  "language-host": "toolchain/language-host/main.ts",
  "command-plugin": "toolchain/command-plugin/main.ts",
};

const present = Object.fromEntries(Object.entries(entries).filter(([, file]) => fs.existsSync(file)));
esbuild.buildSync({
  entryPoints: present,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  sourcemap: true,
  outdir: "dist",
  logLevel: "warning",
  external: ["cpu-features", "*.node", "typescript", "ts-node"],
});

programBundle();
