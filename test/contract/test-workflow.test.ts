// Runs the lines of .github/workflows/test.yml in a project with one small test for each tier.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";

const { tiers } = require("../runner/tiers.cjs");

const root = path.resolve(__dirname, "../..");
const workflow = parse(fs.readFileSync(path.join(root, ".github/workflows/test.yml"), "utf8"));

interface Step {
  readonly run?: string;
  readonly uses?: string;
}

interface Job {
  readonly steps: readonly Step[];
  readonly strategy?: { readonly matrix: { readonly tier: readonly string[] } };
  readonly env?: object;
}

const jobs = Object.values(workflow.jobs) as readonly Job[];
/** The lines that install something. The project already has everything. */
const isInstallation = (line: string): boolean => /^npm ci$|^sudo apt-get /.test(line);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-workflow-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** The real runner, checks and preparations that do nothing, and in each tier a test that prints its name. */
function writeProject(skipReason?: string): void {
  const copied = ["test/run.cjs", "test/runner", "test/allowed-skips.cjs", "test/support/forbid-outside-world.ts"];
  for (const name of [...copied, "tsconfig.json"]) {
    fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  const scripts = { test: "node test/run.cjs", format: "true", lint: "true", types: "true" };
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ scripts }));
  for (const name of ["start", "groundplane"]) write(`cli/${name}.cjs`, "");
  const options = JSON.stringify(skipReason ? { skip: skipReason } : {});
  for (const tier of Object.keys(tiers).filter((name) => name !== "check")) {
    write(`test/${tier}/a.test.ts`, `import { test } from "node:test";\ntest("tier ${tier}", ${options}, () => {});\n`);
  }
  fs.rmSync(path.join(folder, "node_modules"), { force: true });
  fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
}

function write(name: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), text);
}

/** Every line as a hosted runner runs it: by bash, with `CI=true`. */
function runLines(): { readonly failed: readonly string[]; readonly ran: readonly string[] } {
  const results = jobs.flatMap(({ steps, strategy }) =>
    (strategy?.matrix.tier ?? [""]).flatMap((tier) =>
      steps
        .flatMap(({ run = "" }) => (run === "" || isInstallation(run) ? [] : [run]))
        .map((line) => {
          const { NODE_TEST_CONTEXT: _, GROUNDPLANE_TEST_PURE: __, ...env } = process.env;
          const options = { cwd: folder, encoding: "utf8", env: { ...env, CI: "true", TIER: tier } } as const;
          return { line: `${line} ${tier}`, ...spawnSync("bash", ["-euo", "pipefail", "-c", line], options) };
        }),
    ),
  );
  return {
    failed: results.flatMap(({ status, line, stdout, stderr }) =>
      status === 0 ? [] : [`${line}\n${stdout}${stderr}`],
    ),
    ran: results.flatMap(({ stdout }) => [...stdout.matchAll(/^✔ tier (\S+)/gm)].map(([, tier = ""]) => tier)),
  };
}

test("the workflow runs on every push and pull request, with read-only permissions", () => {
  assert.deepEqual(workflow.on, ["push", "pull_request"]);
  assert.deepEqual(workflow.permissions, { contents: "read" });
  for (const { steps, strategy, env = {} } of jobs) {
    for (const step of steps) assert.ok(step.run ?? step.uses, JSON.stringify(step));
    assert.deepEqual(Object.keys(env), strategy ? ["TIER"] : []);
  }
});

test("its lines run the checks and every tier except those on real machines", () => {
  writeProject();
  const { failed, ran } = runLines();
  assert.deepEqual(failed, []);
  const realMachines = ["virtualbox", "qemu", "e2e", "topologies"];
  const expected = Object.keys(tiers).filter((name) => name !== "check" && !realMachines.includes(name));
  assert.deepEqual([...ran].sort(), expected.sort());
  const lines = jobs.flatMap(({ steps }) => steps.map(({ run }) => run));
  assert.ok(lines.some((line) => line && / check /.test(line)));
});

test("a skip that is not allowed fails the workflow", () => {
  writeProject("nothing can be tested here");
  const { failed, ran } = runLines();
  assert.equal(failed.length, 4, "each of its lines");
  assert.deepEqual(ran, []);
});
