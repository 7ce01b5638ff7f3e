import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";

const projectRoot = path.resolve(__dirname, "../..");

const runner = ["test/run.cjs", "test/runner", "test/allowed-skips.cjs"];
runner.push("test/support/forbid-outside-world.ts", "tsconfig.json");

/** The runner in a project of its own with the given test files; what it prints and how it ends. */
function runTiers(files: Readonly<Record<string, string>>, ...tiers: readonly string[]) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-run-"));
  try {
    for (const copied of runner)
      fs.cpSync(path.join(projectRoot, copied), path.join(folder, copied), { recursive: true });
    fs.symlinkSync(path.join(projectRoot, "node_modules"), path.join(folder, "node_modules"));
    for (const [file, body] of Object.entries(files)) {
      write(folder, file, `import { test } from "node:test";\n${body}\n`);
    }
    const { NODE_TEST_CONTEXT: _, CI: __, ...env } = process.env;
    const done = spawnSync(process.execPath, ["test/run.cjs", ...tiers], { cwd: folder, encoding: "utf8", env });
    return { code: done.status, output: done.stdout + done.stderr, lastLine: done.stdout.trimEnd().split("\n").at(-1) };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function write(folder: string, file: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  fs.writeFileSync(path.join(folder, file), text);
}

const passing = `test("right", () => {});`;

test("the last line sums all tiers, and one failure fails the run", () => {
  const { code, lastLine, output } = runTiers(
    {
      "test/unit/deep/a.test.ts": `${passing} test("later", { skip: "no machine" }, () => {});`,
      "test/golden/b.test.ts": `${passing} test("wrong", () => { throw new Error("x"); });`,
    },
    "unit",
    "golden",
  );
  assert.equal(lastLine, "2 passed, 1 failed, 1 skipped", output);
  assert.equal(code, 1);
  assert.match(output, /unit +\d+\.\d +1 +0 +1\n/);
});

test("a run without failures ends well, tiers without files included", () => {
  const { code, lastLine, output } = runTiers({ "test/unit/a.test.ts": passing }, "unit", "golden");
  assert.equal(lastLine, "1 passed, 0 failed, 0 skipped", output);
  assert.equal(code, 0);
});

test("a run without tests fails", () => {
  const { code, lastLine } = runTiers({}, "unit");
  assert.equal(lastLine, "0 passed, 0 failed, 0 skipped");
  assert.equal(code, 1);
});

test("a test file that does not load counts as failed", () => {
  const { code, lastLine } = runTiers({ "test/unit/a.test.ts": `${passing} process.exit(3);` }, "unit");
  assert.match(String(lastLine), /^\d+ passed, 1 failed, 0 skipped$/);
  assert.equal(code, 1);
});

test("pure tiers are shut off, the others are not", () => {
  const starting = `test("starts", () => { require("node:child_process").spawnSync("true"); });`;
  const { lastLine, output } = runTiers(
    { "test/unit/a.test.ts": starting, "test/docs/b.test.ts": starting },
    "unit",
    "docs",
  );
  assert.equal(lastLine, "1 passed, 1 failed, 0 skipped", output);
  assert.match(output, /belongs in test\/contract/);
});

test("an unknown tier is told with the known ones", () => {
  const { code, output } = runTiers({}, "units");
  assert.equal(code, 2);
  assert.match(output, /unknown tier: units\n.*check, unit, property/);
});
