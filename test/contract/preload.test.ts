import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { transformSync } from "esbuild";

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

test("Pulumi's library loads its automation API, and what exports traces, on demand", () => {
  const script = `
    const loaded = () => Object.keys(require.cache).filter((file) => /automation.index|opentelemetry.sdk-trace/.test(file));
    const pulumi = require("@pulumi/pulumi");
    const { createRequire } = require("node:module");
    const tracing = createRequire(require.resolve("@pulumi/pulumi"))("./cmd/run/tracing.js");
    const before = loaded();
    tracing.start("http://127.0.0.1:1");
    const span = tracing.newSpan("a span");
    const isTraced = span.isRecording();
    console.log(JSON.stringify({ before, isTraced, stack: typeof pulumi.automation.LocalWorkspace.createStack }));
    process.exit();`;
  assert.deepEqual(run(script), { before: [], isTraced: true, stack: "function" });
});

test("Pulumi's library debugs its process only to turn functions into text", () => {
  const script = `
    const inspector = require("inspector");
    const post = inspector.Session.prototype.post;
    const posted = [];
    inspector.Session.prototype.post = function (method, ...rest) {
      posted.push(method);
      return post.call(this, method, ...rest);
    };
    const { createRequire } = require("node:module");
    const hooks = createRequire(require.resolve("@pulumi/pulumi"))("./runtime/closure/v8Hooks");
    const { runtime } = require("@pulumi/pulumi");
    const captured = { answer: 42 };
    const inner = () => captured.answer;
    (async () => {
      await hooks.isInitializedAsync();
      const before = [...posted];
      const { text } = await runtime.serializeFunction(() => inner());
      console.log(JSON.stringify({ before, enabled: posted.filter((method) => method === "Debugger.enable").length, text }));
    })();`;
  const { before, enabled, text } = run(script) as { before: string[]; enabled: number; text: string };
  assert.deepEqual(before, []);
  assert.equal(enabled, 1);
  assert.match(text, /42/, "the captured value is found with the debugger");
});

test("other modules load the compiler as usual", () => {
  assert.equal(run(`console.log(JSON.stringify(typeof require("typescript").createSourceFile))`), "function");
});

test("stacks of errors that are shown name the sources, and stacks without a message are not translated", (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-preload-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const source = "export function make(text: string): Error {\n  return new Error(text);\n}\n";
  const { code } = transformSync(source, { loader: "ts", format: "cjs", sourcemap: "inline", sourcefile: "shown.ts" });
  const file = path.join(folder, "made.js");
  fs.writeFileSync(file, code);
  const script = `
    const pulumi = require.resolve("@pulumi/pulumi/cmd/run/index.js");
    require("node:module").createRequire(pulumi)("source-map-support/register");
    const { make } = require(${JSON.stringify(file)});
    console.log(JSON.stringify({ shown: make("wrong").stack, hidden: make("").stack }));`;
  const { shown, hidden } = run(script) as { shown: string; hidden: string };
  assert.match(shown, /^Error: wrong\n {4}at make \(.*shown\.ts:2:\d+\)\n/);
  assert.match(hidden, /^Error\n {4}at make \(.*made\.js:\d+:\d+\)\n/);
});
