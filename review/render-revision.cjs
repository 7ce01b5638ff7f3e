// Renders a stack as another revision of this project makes it: `node render-revision.cjs FOLDER STACK`, JSON on stdout.
// That revision's own configuration, plan and seeds are bundled behind this revision's render-stack.ts, with the
// packages that are installed here; nothing of it is started but these pure parts.
const esbuild = require("esbuild");
const fs = require("node:fs");
const path = require("node:path");

const [, , folder, stack] = process.argv;
const file = `stacks/Pulumi.${stack}.yaml`;
const place = path.join(folder, file);

if (!fs.existsSync(place)) process.stdout.write("{}");
else {
  // What is imported is found from this place, which an older revision may not have.
  fs.mkdirSync(path.join(folder, "review"), { recursive: true });
  // Scripts are found relative to the bundle, as from every bundle of the project.
  const bundle = path.join(folder, "dist", "render-stack.cjs");
  esbuild.buildSync({
    stdin: {
      contents: fs.readFileSync(path.join(__dirname, "render-stack.ts"), "utf8"),
      resolveDir: path.join(folder, "review"),
      loader: "ts",
    },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    outfile: bundle,
    logLevel: "error",
    nodePaths: [path.join(__dirname, "..", "node_modules")],
  });
  const { renderStack } = require(bundle);
  process.stdout.write(JSON.stringify(renderStack(fs.readFileSync(place, "utf8"), stack, file)));
}
