// The commands on the real engine with the fake driver, where paths, names, environment and locks are unusual.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { fakeDriverEnvironment, runInProject } from "../support/fake-driver-commands";
import { copyProject, type ProjectCopy } from "../support/project-copy";

/** YAML 1.1 takes this name for a boolean. */
const STACK = "no";
let project: ProjectCopy;

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder(), "50% #1 ? it's äöü");
  fs.copyFileSync(project.stackFile("small"), project.stackFile(STACK));
});
after(() => project?.remove());

/** A session's variables that must not reach anything that is started. */
const session = {
  SSH_AUTH_SOCK: "/nowhere/agent.1",
  GIT_DIR: "/nowhere/.git",
  KUBECONFIG: "/nowhere/config",
  LC_ALL: "de_DE.UTF-8",
  BASH_ENV: "/nowhere/bashrc",
};

const environmentWith = (more: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...fakeDriverEnvironment(project, session),
  ...more,
});

const run = (argv: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  runInProject(project, argv, environmentWith(more));

const groundplane = (words: readonly string[], more?: NodeJS.ProcessEnv) =>
  run([process.execPath, "cli/groundplane.cjs", ...words, "--stack", STACK], more);

async function mustSucceed(words: readonly string[], more?: NodeJS.ProcessEnv): Promise<string> {
  const { code, output } = await groundplane(words, more);
  assert.equal(code, 0, `${words.join(" ")}: ${output}`);
  return output;
}

test("an empty passphrase is refused before anything is encrypted", async () => {
  const { code, output } = await groundplane(["start"], { PULUMI_CONFIG_PASSPHRASE: "" });
  assert.equal(code, 1, output);
  assert.match(output, /PULUMI_CONFIG_PASSPHRASE is set, but empty.*\n {2}next step: unset/);
  assert.equal(fs.existsSync(path.join(project.data, "state", ".pulumi", "stacks")), false);
});

test("start, preview and plain Pulumi work, also with a relative data folder", async () => {
  assert.match(await mustSucceed(["start"]), /^no is up\./m);
  const relative = { GROUNDPLANE_DATA: path.relative(project.folder, project.data) };
  assert.match(await mustSucceed(["start"], relative), /^no is up; no changes\./m);
  await mustSucceed(["preview"]);
  const plain =
    'eval "$(node cli/groundplane.cjs env)" && pulumi preview --stack no --non-interactive --expect-no-changes';
  const preview = await run(["bash", "-c", plain], relative);
  assert.equal(preview.code, 0, preview.output);
});

test("plain Pulumi refuses an empty passphrase, too", async () => {
  const plain = 'eval "$(node cli/groundplane.cjs env)" && PULUMI_CONFIG_PASSPHRASE= pulumi preview --stack no';
  const { code, output } = await run(["bash", "-c", plain]);
  assert.notEqual(code, 0);
  assert.match(output, /passphrase/);
});

test("the kubeconfig names the stack for readers of YAML 1.1", async () => {
  const file = (await mustSucceed(["kubeconfig", "--path"])).trim();
  assert.ok(file.startsWith(project.data), file);
  assert.equal(parse(fs.readFileSync(file, "utf8"), { version: "1.1" })["current-context"], STACK);
});

test("commands that reach nodes, render, draw and check find their files", async () => {
  for (const words of [["status"], ["ssh", "worker-1"], ["logs", "worker-1"], ["doctor"]]) {
    const { output } = await groundplane(words);
    assert.doesNotMatch(output, /internal error|Can't open|Bad configuration/, words.join(" "));
  }
  const config = path.join(project.data, "stacks", STACK, "ssh", "config");
  const settings = spawnSync("ssh", ["-G", "-F", config, "worker-1"], { encoding: "utf8" });
  if (!settings.error) assert.equal(settings.status, 0, settings.stderr);
  await mustSucceed(["diagram"]);
  await mustSucceed(["render", "--out", path.join(project.data, "out")]);
});

test("a wrong passphrase is explained by every command that needs it, and nothing changes", async () => {
  for (const words of [["start"], ["status"], ["kubeconfig"], ["preview"], ["destroy", "--yes"]]) {
    const { code, output } = await groundplane(words, { PULUMI_CONFIG_PASSPHRASE: "wrong" });
    assert.equal(code, 1, `${words.join(" ")}: ${output}`);
    assert.match(
      output,
      /the secrets of no are encrypted with another passphrase than that of PULUMI_CONFIG_PASSPHRASE/,
    );
    assert.match(output, /next step: correct it; if no was created without it, unset it/);
  }
  await mustSucceed(["kubeconfig"]);
});

function lockOf(pid: number): string {
  const locks = path.join(project.data, "state", ".pulumi", "locks", "organization", "groundplane", STACK);
  fs.mkdirSync(locks, { recursive: true });
  const file = path.join(locks, `${pid}.json`);
  fs.writeFileSync(file, JSON.stringify({ pid, username: "root", hostname: os.hostname(), timestamp: new Date() }));
  return file;
}

function runAsPulumi(): ChildProcess {
  const program = path.join(project.data, "pulumi-of-the-test", "pulumi");
  fs.mkdirSync(path.dirname(program), { recursive: true });
  fs.copyFileSync("/bin/sleep", program);
  return spawn(program, ["300"], { stdio: "ignore" });
}

test("a destroy that Pulumi refuses because the stack is locked leaves no mark of a dismantling", async () => {
  const pulumi = runAsPulumi();
  try {
    const live = lockOf(pulumi.pid as number);
    const { code, output } = await groundplane(["destroy", "--yes"]);
    assert.equal(code, 1, output);
    assert.match(output, /currently locked/);
    assert.ok(fs.existsSync(live), "a live lock is never removed");
    assert.equal(fs.existsSync(path.join(project.data, "stacks", STACK, "dismantling")), false);
    fs.rmSync(live);
  } finally {
    pulumi.kill("SIGKILL");
  }
});

test("locks of process 1 and of this test are no Pulumi's; stop and destroy work", async () => {
  lockOf(1);
  lockOf(process.pid);
  await mustSucceed(["stop"]);
  assert.match(await mustSucceed(["destroy", "--yes"]), /no is destroyed/);
  assert.equal(fs.existsSync(path.join(project.data, "stacks", STACK)), false);
});
