// The bundle that Pulumi runs follows the sources. These tests use a project of a few files, never the checkout.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, beforeEach, test } from "node:test";

const checkout = path.resolve(__dirname, "..", "..");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Sources must be older than the start of bundling, otherwise the bundle counts as outdated. */
function write(file: string, text: string, age = 60): void {
  const target = path.join(folder, file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, text);
  const time = Date.now() / 1000 - age;
  fs.utimesSync(target, time, time);
}

/** Loads the program as Pulumi does, in a separate process. */
function load(): string {
  const script = `process.stdout.write(String(require("./toolchain/load-program.cjs").said))`;
  return execFileSync(process.execPath, ["--enable-source-maps", "-e", script], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const bundled = (): number => fs.statSync(path.join(folder, "dist", "program.js")).mtimeMs;

beforeEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const name of ["load-program.cjs", "program-bundle.cjs"]) {
    write(`toolchain/${name}`, fs.readFileSync(path.join(checkout, "toolchain", name), "utf8"));
  }
  write("package-lock.json", "{}");
  write("stacks/program.ts", `import { word } from "./word";\nexport const said: string = word;\n`);
  write("stacks/word.ts", `export const word = "first";\n`);
  fs.symlinkSync(path.join(checkout, "node_modules"), path.join(folder, "node_modules"));
});

test("the bundle is built once, and rebuilt when a source changes, even to an older file", () => {
  assert.equal(load(), "first");
  const made = bundled();
  assert.equal(load(), "first");
  assert.equal(bundled(), made, "nothing has changed");
  write("stacks/word.ts", `export const word = "second";\n`);
  assert.equal(load(), "second");
  write("stacks/word.ts", `export const word = "former";\n`, 3600);
  assert.equal(load(), "former");
});

test("a source that changes during bundling is bundled again", () => {
  write("stacks/word.ts", `export const word = "early";\n`, -60);
  assert.equal(load(), "early");
  const made = bundled();
  load();
  assert.notEqual(bundled(), made);
});

test("partial files of an interrupted run are rewritten", () => {
  load();
  fs.writeFileSync(path.join(folder, "dist", "program.sources.json"), `{"stacks/pro`);
  assert.equal(load(), "first");
});

test("compile errors and runtime errors are reported with their place in the sources", () => {
  write("stacks/word.ts", "export const = 1;\n");
  assert.throws(load, /stacks\/word\.ts:1:13: ERROR/);
  write("stacks/word.ts", `export const word: string = "one";\n\nthrow new Error("no such thing");\n`);
  assert.throws(load, /stacks\/word\.ts:3:7/);
});
