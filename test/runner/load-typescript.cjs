// Loads TypeScript into test files, with `--require`. tsx does the same for single files, but starts a thread with a loader of ES
// modules in each process, and reads the source map of each file. Here, what esbuild and V8 compile stays in a cache.
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");
const { crc32 } = require("node:zlib");
const { compiledText, isOwn, root } = require("./compile-typescript.cjs");
const { showSources } = require("./show-sources.cjs");

// Saved now, because pure tiers replace these functions and forbid writes outside the temporary folder.
const { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } = fs;
const codeFolder = path.join(root, "node_modules", ".cache", `test-code-${process.version}`);

/** Scripts whose code is not in the cache yet. */
const compiled = [];

// Before JSON, because a module and its data may have the same name.
const { ".js": javascript, ...others } = Module._extensions;
for (const extension of Object.keys(others)) delete Module._extensions[extension];
const typescript = (module, file) => module._compile(compiledText(file), file, "commonjs");
Object.assign(Module._extensions, { ".js": javascript, ".ts": typescript, ...others });

const compileByNode = Module.prototype._compile;
Module.prototype._compile = function compileWithCache(content, file, format) {
  const isMain = this.id === ".";
  const script = isMain || format === "module" || !isOwn(file) ? undefined : compileScript(content, file);
  // Not a file of this clone; the main module, for which Node.js begins to remember files that it has looked for; an ES module; a mistake in the source.
  if (!script) return compileByNode.call(this, content, file, format);
  const run = script.runInThisContext({ displayErrors: true });
  return run.call(this.exports, this.exports, requireOf(this), this, file, path.dirname(file));
};

function compileScript(content, file) {
  try {
    const place = path.join(codeFolder, `${path.relative(root, file)}.code`);
    const stamp = stampOf(file);
    const script = new vm.Script(Module.wrap(content), {
      filename: file,
      cachedData: readCode(place, stamp),
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    if (script.cachedDataRejected !== false) compiled.push({ script, place, stamp });
    return script;
  } catch {
    return undefined;
  }
}

/** What Node.js gives to a module as `require`. */
function requireOf(module) {
  const require = (id) => module.require(id);
  require.resolve = (request, options) => Module._resolveFilename(request, module, false, options);
  require.resolve.paths = (request) => Module._resolveLookupPaths(request, module);
  require.main = process.mainModule;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}

/** V8 itself compares the length of the source, its own version and its flags. Clones may share a cache. */
function stampOf(file) {
  const { mtimeMs, size } = statSync(file);
  return `${file} ${mtimeMs} ${size}`;
}

/** The first line has the stamp and a checksum: V8 does not verify the code, and a file may be damaged when a host loses power. */
const headOf = (stamp, code) => Buffer.from(`${stamp} ${crc32(code)}\n`);

function readCode(place, stamp) {
  try {
    const stored = readFileSync(place);
    const code = stored.subarray(stored.indexOf("\n") + 1);
    return stored.subarray(0, stored.length - code.length).equals(headOf(stamp, code)) ? code : undefined;
  } catch {
    return undefined;
  }
}

// At the end, because the code then has the functions that were called.
process.on("exit", () => {
  for (const { script, place, stamp } of compiled) {
    const temporary = `${place}.${process.pid}`;
    try {
      mkdirSync(path.dirname(place), { recursive: true });
      const code = script.createCachedData();
      writeFileSync(temporary, Buffer.concat([headOf(stamp, code), code]));
      renameSync(temporary, place);
    } catch {
      // A full disk, or a read-only clone: the next process compiles again.
      return;
    }
  }
});

showSources();
