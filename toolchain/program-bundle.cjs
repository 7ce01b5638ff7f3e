// stacks/program.ts with all that it imports, as one file: translating and loading its hundred sources one by one takes
// seconds of every `up` and `preview`. The file is made anew whenever a source has changed, so there is no build step to
// forget; its source map has errors told with the places in the sources.
const fs = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");
const bundle = path.join(root, "dist", "program.js");
const stampsFile = path.join(root, "dist", "program.sources.json");

/**
 * Path of the bundle, made first when it is missing or a source has changed.
 * @throws Error with file and line of what does not compile
 */
function programBundle() {
  if (!isFresh()) build();
  return bundle;
}

function isFresh() {
  if (!fs.existsSync(bundle)) return false;
  try {
    const stamps = Object.entries(JSON.parse(fs.readFileSync(stampsFile, "utf8")));
    return stamps.length > 0 && stamps.every(([file, stamp]) => stamp !== null && stamp === stampOf(file));
  } catch {
    return false; // half a file, or a source that is gone
  }
}

/** Changes with every change of the file, also when an older one takes its place. */
function stampOf(file) {
  const { mtimeMs, size } = fs.statSync(path.join(root, file));
  return `${mtimeMs} ${size}`;
}

function build() {
  const started = Date.now();
  const { outputFiles, metafile } = translate({
    absWorkingDir: root,
    entryPoints: ["stacks/program.ts"],
    outfile: bundle,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    sourcemap: true,
    // Pulumi's own process has loaded these already; a second copy would not know the first one's resources.
    external: ["@pulumi/*"],
    write: false,
    metafile: true,
  });
  // The bundle comes after its map, and the stamps, which vouch for both, at the end.
  for (const { path: file, text } of outputFiles.sort((one, other) => other.path.length - one.path.length)) {
    writeAtomic(file, text);
  }
  writeAtomic(stampsFile, JSON.stringify(stampsOf(Object.keys(metafile.inputs), started)));
}

/** Pulumi shows a SyntaxError without the calls that found it: file and line are in its text. */
function translate(options) {
  const esbuild = require("esbuild");
  try {
    return esbuild.buildSync({ ...options, logLevel: "silent" });
  } catch (error) {
    throw Array.isArray(error.errors) ? new SyntaxError(error.message) : error;
  }
}

/** Packages are represented by the lock file. `null`, never fresh: may have changed while it was being read. */
function stampsOf(inputs, started) {
  const files = [...inputs.filter((file) => !file.includes("node_modules/")), "package-lock.json"];
  return Object.fromEntries(
    files.map((file) => {
      const changed = fs.statSync(path.join(root, file)).mtimeMs;
      return [file, changed >= started ? null : stampOf(file)];
    }),
  );
}

/** Another `pulumi` may be reading, or writing the same. */
function writeAtomic(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  fs.writeFileSync(temporary, text);
  fs.renameSync(temporary, file);
}

module.exports = { programBundle };
