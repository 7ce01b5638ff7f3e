// Bundles stacks/program.ts and its imports into one file: translating and loading a hundred sources one by one would add
// seconds to every `up` and `preview`. The bundle is recreated whenever a source has changed, so there is no build step
// to forget. Its source map makes errors name the lines of the sources.
const fs = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");
const bundle = path.join(root, "dist", "program.js");
const stampsFile = path.join(root, "dist", "program.sources.json");

/**
 * Path of the bundle; builds it when it is missing or a source has changed.
 * @throws Error with the file and line that does not compile
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
    return false; // a half-written file, or a removed source
  }
}

/** Differs after every change of the file, also when an older version replaces it. Copies keep times to the millisecond. */
function stampOf(file) {
  const { mtimeMs, size } = fs.statSync(path.join(root, file));
  return `${Math.round(mtimeMs)} ${size}`;
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
    // Pulumi's process has loaded these already; a second copy would not know the resources of the first.
    external: ["@pulumi/*"],
    write: false,
    metafile: true,
  });
  // Map first, then bundle, then the stamps that vouch for both.
  for (const { path: file, text } of outputFiles.sort((one, other) => other.path.length - one.path.length)) {
    writeAtomic(file, text);
  }
  writeAtomic(stampsFile, JSON.stringify(stampsOf(Object.keys(metafile.inputs), started)));
}

/** Pulumi shows a SyntaxError without its stack; the text has file and line. */
function translate(options) {
  const esbuild = require("esbuild");
  try {
    return esbuild.buildSync({ ...options, logLevel: "silent" });
  } catch (error) {
    throw Array.isArray(error.errors) ? new SyntaxError(error.message) : error;
  }
}

/** The lock file stands for all packages. `null`, never fresh: the file may have changed while esbuild read it. */
function stampsOf(inputs, started) {
  const files = [...inputs.filter((file) => !file.includes("node_modules/")), "package-lock.json"];
  return Object.fromEntries(
    files.map((file) => {
      const changed = fs.statSync(path.join(root, file)).mtimeMs;
      return [file, changed >= started ? null : stampOf(file)];
    }),
  );
}

/** Another `pulumi` may read or write the same file. */
function writeAtomic(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  fs.writeFileSync(temporary, text);
  fs.renameSync(temporary, file);
}

module.exports = { programBundle };
