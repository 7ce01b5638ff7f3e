// Stacks of errors name the lines of TypeScript. Node.js could do that, but it would read every source map at once.
const fs = require("node:fs");
const { SourceMap } = require("node:module");
const { mapOf } = require("./compile-typescript.cjs");

const { readFileSync } = fs;
const maps = new Map();

function showSources() {
  Error.prepareStackTrace = (error, frames) => [describe(error), ...frames.map(showFrame)].join("\n    at ");
}

function describe(error) {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "an error";
  }
}

function showFrame(frame) {
  const shown = String(frame);
  const file = frame.getFileName();
  if (!file?.endsWith(".ts")) return shown;
  const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()];
  const source = mapFor(file)?.findEntry(line - 1, column - 1);
  if (source?.originalLine === undefined) return shown;
  return shown.replace(`${file}:${line}:${column}`, `${file}:${source.originalLine + 1}:${source.originalColumn + 1}`);
}

function mapFor(file) {
  if (!maps.has(file)) maps.set(file, readMap(file));
  return maps.get(file);
}

function readMap(file) {
  try {
    return new SourceMap(JSON.parse(readFileSync(mapOf(file), "utf8")));
  } catch {
    return undefined;
  }
}

module.exports = { showSources };
