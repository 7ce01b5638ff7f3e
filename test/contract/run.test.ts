import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";

const projectRoot = path.resolve(__dirname, "../..");

const runner = [
  ...["test/run.cjs", "test/runner", "test/allowed-skips.cjs", "tsconfig.json"],
  ...["test/support/forbid-outside-world.ts", "test/support/on-signal.ts"],
];

/** A project with the runner and the given test files. */
function makeProject(files: Readonly<Record<string, string>>): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-run-"));
  for (const copied of runner)
    fs.cpSync(path.join(projectRoot, copied), path.join(folder, copied), { recursive: true });
  fs.symlinkSync(path.join(projectRoot, "node_modules"), path.join(folder, "node_modules"));
  for (const [file, body] of Object.entries(files)) write(folder, file, `import { test } from "node:test";\n${body}\n`);
  return folder;
}

/** The environment of a user. The variables that mark this process as a test in CI are removed. */
const environment = (settings: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const { NODE_TEST_CONTEXT: _, CI: __, GROUNDPLANE_TEST_PURE: ___, ...env } = process.env;
  return { ...env, ...settings };
};

/** Runs the runner in a separate project. Returns its output and its exit code. */
function runTiers(files: Readonly<Record<string, string>>, tiers: readonly string[], settings: NodeJS.ProcessEnv = {}) {
  const folder = makeProject(files);
  try {
    const options = { cwd: folder, encoding: "utf8", env: environment(settings) } as const;
    const done = spawnSync(process.execPath, ["test/run.cjs", ...tiers], options);
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
    ["unit", "golden"],
  );
  assert.equal(lastLine, "2 passed, 1 failed, 1 skipped", output);
  assert.equal(code, 1);
  assert.match(output, /unit +\d+\.\d +1 +0 +1\n/);
});

test("a changed source is compiled again, and errors name its lines", () => {
  const source = (value: string) =>
    `export interface Unused {\n  readonly it: string;\n}\nexport const value = ${value};\n`;
  const shows = `import { value } from "./source";\ntest("fails", () => { value(); });`;
  const folder = makeProject({ "test/docs/a.test.ts": shows });
  try {
    const options = { cwd: folder, encoding: "utf8", env: environment() } as const;
    for (const word of ["first", "later"]) {
      fs.writeFileSync(path.join(folder, "test/docs/source.ts"), source(`() => { throw new Error("${word}"); }`));
      const { stdout } = spawnSync(process.execPath, ["test/run.cjs", "docs"], options);
      assert.match(stdout, new RegExp(`Error: ${word}\n *at .*\\(/.*/test/docs/source\\.ts:4:\\d+\\)`));
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

test("a run without failures succeeds, also with tiers without files, which fail it with CI=true", () => {
  const files = { "test/unit/a.test.ts": passing };
  const { code, lastLine, output } = runTiers(files, ["unit", "golden"]);
  assert.equal(lastLine, "1 passed, 0 failed, 0 skipped", output);
  assert.equal(code, 0);
  const inCi = runTiers(files, ["unit", "golden"], { CI: "true" });
  assert.equal(inCi.code, 1);
  assert.match(inCi.output, /^no test files: golden$/m);
});

test("a run without tests fails", () => {
  const { code, lastLine } = runTiers({}, ["unit"]);
  assert.equal(lastLine, "0 passed, 0 failed, 0 skipped");
  assert.equal(code, 1);
});

test("a test file that does not load counts as a failure", () => {
  const { code, lastLine } = runTiers({ "test/unit/a.test.ts": `${passing} process.exit(3);` }, ["unit"]);
  assert.match(String(lastLine), /^\d+ passed, 1 failed, 0 skipped$/);
  assert.equal(code, 1);
});

test("a test file without tests, or that ends before its tests, counts as a failure", () => {
  for (const tier of ["unit", "docs"]) {
    const empty = runTiers({ [`test/${tier}/a.test.ts`]: "test;", [`test/${tier}/b.test.ts`]: passing }, [tier]);
    assert.equal(empty.lastLine, "1 passed, 1 failed, 0 skipped", empty.output);
    assert.match(empty.output, new RegExp(`test/${tier}/a\\.test\\.ts`));
    assert.equal(empty.code, 1);
    const ended = runTiers(
      { [`test/${tier}/a.test.ts`]: passing, [`test/${tier}/b.test.ts`]: `${passing} process.exit(0);` },
      [tier],
    );
    assert.match(String(ended.lastLine), /^\d+ passed, 1 failed, 0 skipped$/, ended.output);
    assert.match(ended.output, new RegExp(`test/${tier}/b\\.test\\.ts`), "it is named");
    assert.equal(ended.code, 1);
  }
});

test("an error of the runner itself is printed, and ends the running files", () => {
  const hangs = `test("hangs", () => new Promise((resolve) => setTimeout(resolve, 60_000)));`;
  const spoils = `
    import { mkdirSync, rmSync } from "node:fs";
    const results = process.execArgv.map((word) => /destination=(.*\\.tap)$/.exec(word)?.[1]).find(Boolean)!;
    test("spoils the results", () => {
      rmSync(results, { force: true });
      mkdirSync(results);
    });`;
  const { code, output } = runTiers({ "test/docs/a.test.ts": hangs, "test/docs/b.test.ts": spoils }, ["docs"]);
  assert.equal(code, 1);
  assert.match(output, /EISDIR/);
  assert.match(output, /^✖ test\/docs\/a\.test\.ts: /m, "it was ended, not left behind");
});

test("only pure tiers are isolated from the outside world", () => {
  const starting = `test("starts", () => { require("node:child_process").spawnSync("true"); });`;
  const { lastLine, output } = runTiers({ "test/unit/a.test.ts": starting, "test/docs/b.test.ts": starting }, [
    "unit",
    "docs",
  ]);
  assert.equal(lastLine, "1 passed, 1 failed, 0 skipped", output);
  assert.match(output, /belongs in test\/contract/);
});

test("an unknown tier is an error that lists the known ones", () => {
  const { code, output } = runTiers({}, ["units"]);
  assert.equal(code, 2);
  assert.match(output, /unknown tier or test file: units\n.*check, unit, property/);
});

test("with CI=true, a skip that is not allowed fails the run", () => {
  const skips = (reason: string) => `${passing} test("real", { skip: ${JSON.stringify(reason)} }, () => {});`;
  const files = {
    "test/golden/a.test.ts": skips("no VirtualBox here"),
    "test/contract/b.test.ts": skips("this driver cannot pull cables"),
  };
  const inCi = runTiers(files, ["golden", "contract"], { CI: "true" });
  assert.equal(inCi.lastLine, "2 passed, 1 failed, 1 skipped", inCi.output);
  assert.equal(inCi.code, 1);
  assert.match(inCi.output, /^failed: test\/golden\/a\.test\.ts skips "real": no VirtualBox here$/m);
  const atHome = runTiers(files, ["golden", "contract"]);
  assert.deepEqual([atHome.code, atHome.lastLine], [0, "2 passed, 0 failed, 2 skipped"]);
});

const isAlive = (pid: number): boolean =>
  fs.existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));

test("Ctrl-C lets test files clean up, and ends the processes that they leave behind", {
  skip: process.platform !== "linux",
}, async () => {
  const folder = makeProject({
    "test/docs/a.test.ts": `
      import { spawn } from "node:child_process";
      import { writeFileSync } from "node:fs";
      import { onSignal } from "../support/on-signal";
      test("hangs", async () => {
        const child = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
        onSignal(() => writeFileSync("cleaned", ""));
        writeFileSync("pid", String(child.pid));
        await new Promise((resolve) => setTimeout(resolve, 300_000));
      });`,
  });
  const file = (name: string) => path.join(folder, name);
  try {
    const child = spawn(process.execPath, ["test/run.cjs", "docs"], {
      cwd: folder,
      env: environment(),
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    while (!fs.existsSync(file("pid"))) await new Promise((resolve) => setTimeout(resolve, 50));
    const pid = Number(fs.readFileSync(file("pid"), "utf8"));
    assert.ok(isAlive(pid));
    child.kill("SIGINT");
    assert.equal(await ended, 130);
    assert.ok(fs.existsSync(file("cleaned")));
    assert.ok(!isAlive(pid), "a process that outlived its test file");
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

test("files with system containers go first, then those with emulated guests, then all others", () => {
  const groupFile = "/proc/self/cgroup";
  const present = os.getPriority();
  const hasShare = (name: string, nice: number) =>
    `const os = require("node:os"), fs = require("node:fs");
     test("share", () => {
       const expected = Math.max(${present}, ${nice});
       if (os.getPriority() !== expected) throw new Error("priority: " + os.getPriority() + " in place of " + expected);
       if (process.getuid?.() !== 0 || !fs.existsSync("${groupFile}")) return;
       const group = new RegExp("groundplane-tests-" + process.ppid + "-(\\\\w+)").exec(fs.readFileSync("${groupFile}", "utf8"));
       if ((group?.[1] ?? "") !== "${name}") throw new Error("the runner's group: " + group?.[1]);
     });`;
  const files = {
    "test/engine/a.test.ts": hasShare("programs", 10),
    "test/qemu/guest-program.test.ts": hasShare("guests", 5),
    "test/e2e/b.test.ts": hasShare("", present),
  };
  const { code, output } = runTiers(files, Object.keys(files));
  assert.equal(code, 0, output);
});
