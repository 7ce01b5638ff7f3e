// Renders a stack with another revision of this project: `node render-revision.cjs FOLDER STACK`, JSON on stdout. FOLDER
// holds that revision's files. Its own render-stack.ts is bundled with its own configuration, plan and seeds, and with
// the packages that are installed here; only these pure parts of it run.
const esbuild = require("esbuild");
const fs = require("node:fs");
const path = require("node:path");

const [, , folder, stack] = process.argv;
const file = `stacks/Pulumi.${stack}.yaml`;
const place = path.join(folder, file);
/** Its path in this revision, and in earlier ones. */
const renderers = ["review/render-stack.ts", "cli/review/render-stack.ts"];

if (!fs.existsSync(place)) process.stdout.write("{}");
else {
  const renderer = renderers.map((name) => path.join(folder, name)).find((name) => fs.existsSync(name));
  if (renderer === undefined) throw new Error(`the revision has none of ${renderers.join(", ")}`);
  // Scripts are found relative to the bundle, as from every bundle of the project.
  const bundle = path.join(folder, "dist", "render-stack.cjs");
  esbuild.buildSync({
    entryPoints: [renderer],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    outfile: bundle,
    logLevel: "error",
    nodePaths: [path.join(__dirname, "..", "node_modules")],
  });
  const { renderStack } = require(bundle);
  // Earlier revisions know no lock and ignore the argument.
  const lock = path.join(folder, `stacks/package-lock.${stack}.json`);
  const lockText = fs.existsSync(lock) ? fs.readFileSync(lock, "utf8") : undefined;
  process.stdout.write(JSON.stringify(renderStack(fs.readFileSync(place, "utf8"), stack, file, lockText)));
}
