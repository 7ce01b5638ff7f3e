import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { runCommand } from "../../host/run-command";
import type { CommandResult } from "../../model/commands";
import { forStack } from "../../model/next-step";
import { version } from "../../package.json";
import { bundleIntoProject } from "../support/bundle-script";
import { patienceMs } from "../support/cluster-under-test";
import { examplePlan } from "../support/example-plans";
import { typescriptArguments } from "../support/typescript-arguments";

// The texts of commands are read without colours, also where the caller of the tests wants some.
delete process.env.FORCE_COLOR;

const projectFolder = path.join(__dirname, "..", "..");
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
after(() => fs.rmSync(temporary, { recursive: true, force: true }));

const commandNames = [
  ...["start", "doctor", "env", "image", "part", "bundle", "render", "diagram", "preview"],
  ...["status", "view", "kubeconfig", "ssh", "logs", "verify", "backup", "restore", "snapshot", "fence"],
  ...["stop", "destroy", "prune", "report", "completion", "explain"],
];

/** Made of the current sources. To compile them for each command would take most of the time. */
const program = bundleIntoProject(path.join("cli", "main.ts"));

/** Runs a command in a separate process without a terminal. */
function groundplane(...words: string[]): Promise<CommandResult> {
  const argv = [process.execPath, program, ...words];
  const env = { GROUNDPLANE_DATA: path.join(temporary, "data"), GROUNDPLANE_DRIVER: "fake" };
  return runCommand(argv, { cwd: projectFolder, env, allowedExitCodes: [0, 1, 2], timeoutMs: patienceMs });
}

test("help names every command and exits with 0", async () => {
  const { exitCode, stdout } = await groundplane("--help");
  assert.equal(exitCode, 0);
  const names = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
  assert.deepEqual(
    names.filter((name) => name !== "help"),
    commandNames,
  );
});

test("the version is that of the package", async () => {
  const { exitCode, stdout } = await groundplane("--version");
  assert.deepEqual([exitCode, stdout], [0, `${version}\n`]);
});

test("a wrong command line exits with 2 and states the mistake", async () => {
  const [unknown, missing] = await Promise.all([groundplane("destory"), groundplane("render")]);
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /unknown command 'destory'/);
  assert.equal(missing.exitCode, 2);
  assert.match(missing.stderr, /--out/);
});

test("render writes the seed of every machine, with references in place of secrets", async () => {
  const out = path.join(temporary, "seeds");
  const { exitCode } = await groundplane("render", "--out", out, "--stack", "small");
  assert.equal(exitCode, 0);
  assert.deepEqual(
    fs.readdirSync(out).sort(),
    examplePlan("small")
      .nodes.map(({ name }) => name)
      .sort(),
  );
  for (const node of fs.readdirSync(out)) {
    assert.deepEqual(fs.readdirSync(path.join(out, node)).sort(), ["meta-data", "network-config", "user-data"]);
  }
  const userData = fs.readFileSync(path.join(out, "master-1", "user-data"), "utf8");
  assert.match(userData, /\$\{secret-base64:kubernetes-ca\.key\}/);
  assert.doesNotMatch(userData, /PRIVATE KEY/);
});

test("destroy without a terminal changes nothing and names the option that confirms it", async () => {
  const { exitCode, stderr } = await groundplane("destroy");
  assert.equal(exitCode, 1);
  assert.match(
    stderr,
    /error: destroying lab needs a confirmation, and there is no terminal\n {2}next step: add --yes/,
  );
  assert.ok(!fs.existsSync(path.join(temporary, "data", "stacks")));
});

test("a closed pipe and a full disk are no internal errors", {
  skip: process.platform !== "linux",
}, () => {
  const main = `"${process.execPath}" "${program}"`;
  const run = (script: string) => spawnSync("bash", ["-c", script], { cwd: projectFolder, encoding: "utf8" });
  const env = `GROUNDPLANE_DATA="${temporary}" GROUNDPLANE_DRIVER=fake`;
  const early = run(`${env} ${main} diagram | true; echo "code ${"${PIPESTATUS[0]}"}"`);
  assert.doesNotMatch(early.stderr, /EPIPE|at .*main/);
  assert.match(early.stdout, /code 0/);
  const full = run(`${env} ${main} diagram >/dev/full; echo code $?`);
  assert.match(full.stderr, /^error: the output cannot be written: ENOSPC.*\n {2}next step: /);
  assert.doesNotMatch(full.stderr, /\n {4}at /);
  assert.match(full.stdout, /code 1/);
});

test("a user error is reported without a stack trace", async () => {
  const { exitCode, stderr } = await groundplane("status", "--stack", "nowhere");
  assert.equal(exitCode, 1);
  assert.match(stderr, /^error: there is no stacks\/Pulumi\.nowhere\.yaml\n {2}next step: .*\n$/);
});

test("doctor runs all checks and reports them as JSON", async () => {
  const { stdout } = await groundplane("doctor", "--json");
  const findings = JSON.parse(stdout) as { id: string; state: string; hint?: string }[];
  const ids = new Set(findings.map(({ id }) => id));
  for (const id of ["configuration", "driver", "image", "pulumi", "disk-space", "host-ports"]) {
    assert.ok(ids.has(id), `${id} is among ${[...ids].join(", ")}`);
  }
  for (const { id, state, hint } of findings) assert.ok(state === "ok" || hint, `${id} has a next step`);
});

test("every command has its own help text, and commands that report offer JSON", async () => {
  const groups = [
    "image build",
    "image update",
    "image list",
    "image push",
    "backup list",
    "backup fetch",
    "part add",
    "bundle create",
    "bundle load",
  ];
  const snapshots = ["create", "list", "restore", "delete"].map((name) => `snapshot ${name}`);
  const words = [...commandNames, ...groups, ...snapshots].map((name) => name.split(" "));
  const helps = await Promise.all(words.map((name) => groundplane(...name, "--help")));
  for (const [index, { exitCode, stdout }] of helps.entries()) {
    const name = words[index]?.join(" ") ?? "";
    assert.equal(exitCode, 0, name);
    assert.ok(stdout.startsWith(`Usage: groundplane ${name}`), stdout);
    if (
      /^(?:doctor|env|image build|image push|part add|bundle .*|render|diagram|status|view|prune|report|snapshot .*)$/.test(
        name,
      )
    )
      assert.match(stdout, /--json/, name);
    const isOfStack = /--stack <name>/.test(stdout);
    assert.ok(isOfStack || /^(?:image$|part|bundle|snapshot$|prune|completion)/.test(name), name);
    const command = `\`npx groundplane ${name}\``;
    assert.equal(forStack(command, "other").includes("--stack other"), isOfStack, `in a message: ${name}`);
  }
});

test("a command that needs a running stack names the command that starts it", async () => {
  const asked = [
    ["status"],
    ["status", "--json"],
    ["view"],
    ["view", "--json"],
    ["kubeconfig"],
    ["kubeconfig", "--path"],
    ["ssh", "x"],
    ["logs", "x"],
    ["backup"],
  ];
  const answers = await Promise.all(asked.map((words) => groundplane(...words, "--stack", "small")));
  for (const { exitCode, stdout, stderr } of answers) {
    assert.equal(exitCode, 1);
    assert.equal(stdout, "");
    assert.equal(
      stderr,
      "error: the stack small is not up\n  next step: `npx groundplane start --stack small` brings it up\n",
    );
  }
});

test("ssh accepts its options in any position, and a remote command's options only after `--`", async () => {
  const [behind, unclear] = await Promise.all([
    groundplane("ssh", "master-1", "--stack", "small", "--", "ls", "--all", "--stack", "other"),
    groundplane("ssh", "master-1", "ls", "--all"),
  ]);
  assert.match(behind.stderr, /the stack small is not up/);
  assert.equal(unclear.exitCode, 2);
  assert.match(unclear.stderr, /unknown option '--all'/);
});

test("stop and destroy succeed at once for a stack that does not exist, and leave nothing behind", async () => {
  const [stopped, destroyed] = await Promise.all([
    groundplane("stop", "--stack", "small"),
    groundplane("destroy", "--yes", "--stack", "small"),
  ]);
  for (const { exitCode, stderr } of [stopped, destroyed]) {
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^small .*; no changes\n$/);
  }
  assert.ok(!fs.existsSync(path.join(temporary, "data", "stacks")));
});

test("a start at boot needs systemd, and its removal starts nothing", {
  skip: fs.existsSync("/run/systemd/system") && "the host runs systemd",
}, async () => {
  const [wanted, removed, unknown, both] = await Promise.all([
    groundplane("start", "--at-boot", "--stack", "small"),
    groundplane("start", "--no-at-boot", "--stack", "small"),
    groundplane("start", "--no-at-boot", "--stack", "never"),
    groundplane("start", "--at-boot", "--prepare-only"),
  ]);
  assert.equal(wanted.exitCode, 1);
  assert.match(
    wanted.stderr,
    /^error: this host does not run systemd, so .*\n {2}next step: .* && npx groundplane start --yes --stack small\n$/,
  );
  assert.equal(removed.exitCode, 0);
  assert.equal(removed.stderr, "small is not started at boot; no changes\n");
  assert.equal(unknown.exitCode, 1);
  assert.match(unknown.stderr, /there is no stacks\/Pulumi\.never\.yaml/);
  assert.equal(both.exitCode, 2);
  assert.ok(!fs.existsSync(path.join(temporary, "data", "stacks")));
});

test("a report of a stack that is not up names what is missing, and only its owner can read it", async () => {
  const file = path.join(temporary, "reports", "small.tar.gz");
  const { exitCode, stdout, stderr } = await groundplane("report", file, "--stack", "small");
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout, `${file}\n`);
  assert.match(stderr, /^not in the report: status\.json: the stack small is not up$/m);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.ok(!fs.existsSync(path.join(temporary, "data", "stacks")));
});

test("destroy reports a stack name that does not exist", async () => {
  const { exitCode, stderr } = await groundplane("destroy", "--yes", "--stack", "never");
  assert.equal(exitCode, 1);
  assert.match(stderr, /^error: there is no stacks\/Pulumi\.never\.yaml\n/);
  assert.ok(!fs.existsSync(path.join(temporary, "data", "stacks")));
});

test("the project is found from any folder", async () => {
  const main = path.join(projectFolder, "cli", "main.ts");
  const argv = [process.execPath, ...typescriptArguments, main, "diagram", "--stack", "small"];
  const { stdout } = await runCommand(argv, { cwd: path.join(projectFolder, "image", "recipes") });
  assert.match(stdout, /small\.internal/);
});

test("a launcher without its bundle names the next step", async () => {
  const folder = path.join(temporary, "unbuilt", "cli");
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(path.join(projectFolder, "cli", "groundplane.cjs"), path.join(folder, "groundplane.cjs"));
  const argv = [process.execPath, path.join(folder, "groundplane.cjs"), "status"];
  const { exitCode, stderr } = await runCommand(argv, { allowedExitCodes: [0, 1] });
  assert.equal(exitCode, 1);
  assert.match(stderr, /dist\/cli\.js is missing\n {2}next step: run `npm install`/);
});
