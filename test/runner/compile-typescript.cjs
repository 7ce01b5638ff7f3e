// Compiles TypeScript to JavaScript in a cache. The runner compiles all files at once before the first test, because one call of
// esbuild for each file would take longer than the tests of some files.
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

// Saved now, because pure tiers replace these functions and forbid writes outside the temporary folder.
const { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } = fs;

const root = path.join(__dirname, "..", "..");
const options = {
  format: "cjs",
  platform: "node",
  target: "node20",
  // `require` in place of `import()`, so that all TypeScript is loaded in the same way.
  supported: { "dynamic-import": false },
  sourcemap: "external",
  sourcesContent: false,
  logLevel: "silent",
};
const optionsHash = createHash("sha256").update(JSON.stringify(options)).digest("hex").slice(0, 16);
const cache = path.join(root, "node_modules", ".cache", `test-typescript-${optionsHash}`);

/** The cache of a clone is for its own files. Others are of copies, which tests remove. */
const isOwn = (file) => !path.relative(root, file).startsWith("..");
const placeOf = (file) => path.join(cache, `${path.relative(root, file).replaceAll("..", "__")}.js`);
const mapOf = (file) => `${placeOf(file)}.map`;

/** Differs after every change of the file. Clones may share a cache, so it begins with the path. */
function stampOf(file) {
  const { mtimeMs, size } = statSync(file);
  return `//# ${file} ${mtimeMs} ${size}\n`;
}

/** The compiled text of a file; `undefined` unless it is in the cache, or if the file has changed since. */
function readCompiled(file) {
  try {
    const text = readFileSync(placeOf(file), "utf8");
    return text.endsWith(stampOf(file)) ? text : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Compiles files into the cache. Files that do not compile are left out.
 * @returns the compiled texts by file
 * @throws if one of the files does not compile
 */
function compile(files) {
  const stamps = files.map(stampOf);
  const { outputFiles } = require("esbuild").buildSync({
    ...options,
    // Names of output files without extension, as esbuild wants them.
    entryPoints: files.map((file) => ({ in: file, out: path.relative(cache, placeOf(file)).slice(0, -".js".length) })),
    outdir: cache,
    write: false,
  });
  const texts = new Map(outputFiles.map(({ path: place, text }) => [place, text]));
  return new Map(
    files.map((file, index) => {
      const text = `${texts.get(placeOf(file))}\n${stamps[index]}`;
      if (isOwn(file)) store(mapOf(file), texts.get(mapOf(file)));
      if (isOwn(file)) store(placeOf(file), text);
      return [file, text];
    }),
  );
}

/** Without a place for it, as in a read-only clone, each process compiles again. */
function store(place, text) {
  const temporary = `${place}.${process.pid}`;
  try {
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(temporary, text);
    renameSync(temporary, place);
  } catch {
    // as above
  }
}

/** Compiles what has changed below a folder. A file that does not compile is left to the process that loads it. */
function compileBelow(folder) {
  const changed = typescriptBelow(folder).filter((file) => readCompiled(file) === undefined);
  try {
    if (changed.length > 0) compile(changed);
  } catch {
    // as above
  }
}

function typescriptBelow(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return ["node_modules", "dist", ".git"].includes(entry.name) ? [] : typescriptBelow(file);
    return entry.isFile() && file.endsWith(".ts") ? [file] : [];
  });
}

const compiledText = (file) => readCompiled(file) ?? compile([file]).get(file);

module.exports = { compileBelow, compiledText, isOwn, mapOf, root };
