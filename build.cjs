// Bundles the programs that Pulumi and npm start into dist/, one file each: a plugin's start is on
// every command's critical path, and one file loads several times faster than the hundreds it is made of. The program
// itself looks after its own bundle; making it here keeps the first `pulumi up` from having to.
const esbuild = require("esbuild");
const fs = require("node:fs");
const path = require("node:path");
const { programBundle } = require("./toolchain/program-bundle.cjs");

const entries = {
  provider: "provider/main.ts",
  "qemu-switch": "hypervisors/qemu/switch/main.ts",
  cli: "cli/main.ts",
  client: "verify/client-process.ts",
  "image-builder": "image/entry/build-as-root.ts",
  "language-host": "toolchain/language-host/main.ts",
  "command-plugin": "toolchain/command-plugin/main.ts",
};

/** Folders with files that guests and Linux hosts run or read as they are. */
const runAsTheyAre = ["cloud-init/scripts", "image/scripts", "image/layers", "provider/launcher", "hypervisors"];

/**
 * Gives scripts the line ends that their interpreters need. A clone from before `.gitattributes` named them, or an unpacked
 * archive, may have those of Windows, with which `#!/bin/sh` names a program that does not exist.
 */
function restoreLineEnds(folder) {
  for (const { name, parentPath } of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(parentPath, name);
    if (!fs.lstatSync(file).isFile() || file.endsWith(".ts")) continue;
    const text = fs.readFileSync(file);
    if (text.includes("\r\n") && !text.includes(0)) {
      fs.writeFileSync(file, text.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
    }
  }
}

for (const folder of runAsTheyAre.map((name) => path.join(__dirname, name))) {
  if (fs.existsSync(folder)) restoreLineEnds(folder);
}

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

// The page of `view`, for the browsers of the last years.
esbuild.buildSync({
  entryPoints: { "view-page": "view/page/main.tsx" },
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome115", "firefox115", "safari16"],
  jsx: "automatic",
  jsxImportSource: "preact",
  outdir: "dist",
  logLevel: "warning",
});

programBundle();

/** Bundles of earlier versions that have another name now. They stay old, so everything that compares times would build again each time. */
function removeFormer(dist) {
  const built = [...Object.keys(present), "program", "view-page"];
  for (const file of fs.readdirSync(dist)) {
    const [, name] = /^(.+)\.js(?:\.map)?$/.exec(file) ?? [];
    // Tests have programs of their own there.
    if (name === undefined || built.includes(name) || name.startsWith("test-")) continue;
    // A build at the same time may have removed it.
    fs.rmSync(path.join(dist, file), { force: true });
  }
}

removeFormer(path.join(__dirname, "dist"));
