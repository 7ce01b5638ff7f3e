import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { test } from "node:test";

const checkout = path.resolve(__dirname, "..", "..");

/** Runs a script as Pulumi runs the program. @returns its output, parsed as JSON */
function run(script: string): unknown {
  const argv = ["--no-warnings", "--require", "./toolchain/preload.cjs", "-e", script];
  return JSON.parse(execFileSync(process.execPath, argv, { cwd: checkout, encoding: "utf8" }));
}

const compiler = `Object.keys(require.cache).filter((file) => /node_modules.typescript.lib/.test(file)).length`;

test("Pulumi's library loads without the compiler, and loads the compiler on demand", () => {
  const script = `
    const { runtime } = require("@pulumi/pulumi");
    const before = ${compiler};
    runtime.serializeFunction(() => 40 + 2).then(({ text }) => {
      console.log(JSON.stringify({ before, after: ${compiler}, text }));
    });`;
  const { before, after, text } = run(script) as { before: number; after: number; text: string };
  assert.equal(before, 0);
  assert.equal(after, 1);
  assert.match(text, /40 \+ 2/);
});

test("other modules load the compiler as usual", () => {
  assert.equal(run(`console.log(JSON.stringify(typeof require("typescript").createSourceFile))`), "function");
});
