// `npm start` on the real engine with the fake driver, in a separate project and data folder.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { copyProject, type ProjectCopy } from "../support/project-copy";

let project: ProjectCopy;

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  git("init", "--quiet");
  // The link to the checkout's modules is not a folder, so .gitignore does not cover it.
  fs.appendFileSync(path.join(project.folder, ".git", "info", "exclude"), "node_modules\n");
  git("add", "--all");
  git("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", "All");
});
after(() => project?.remove());

const git = (...words: string[]): string => execFileSync("git", ["-C", project.folder, ...words], { encoding: "utf8" });

type OnOutput = (output: string, pid: number) => void;

const start = (onOutput?: OnOutput, more?: NodeJS.ProcessEnv) =>
  run(["cli/start.cjs", "--stack", "small"], onOutput, more);

function run(argv: readonly string[], onOutput: OnOutput = () => undefined, more: NodeJS.ProcessEnv = {}) {
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const env: NodeJS.ProcessEnv = { ...project.environment, GROUNDPLANE_DRIVER: "fake" };
    for (const name of Object.keys(env)) if (/^(?:PULUMI_|NODE_TEST_CONTEXT|NODE_OPTIONS)/.test(name)) delete env[name];
    Object.assign(env, more);
    const child = spawn(process.execPath, argv, { cwd: project.folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
        onOutput(output, child.pid as number);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** A lock as Pulumi leaves it in a local backend. Returns its file. */
function lockOf(pid: number): string {
  const locks = path.join(project.data, "state", ".pulumi", "locks", "organization", "groundplane", "small");
  fs.mkdirSync(locks, { recursive: true });
  const file = path.join(locks, `${pid}.json`);
  fs.writeFileSync(file, JSON.stringify({ pid, username: "root", hostname: os.hostname(), timestamp: new Date() }));
  return file;
}

/** A running process whose program is called pulumi. */
function runAsPulumi(): ChildProcess {
  const program = path.join(path.dirname(project.folder), "pulumi");
  fs.copyFileSync("/bin/sleep", program);
  return spawn(program, ["300"], { stdio: "ignore" });
}

test("Ctrl-C stops cleanly, and the next start resumes", async () => {
  let interrupted = false;
  const first = await start((output, pid) => {
    if (interrupted || !/segment created/.test(output)) return;
    interrupted = true;
    process.kill(pid, "SIGINT");
  });
  assert.equal(interrupted, true, first.output);
  assert.equal(first.code, 1, first.output);
  assert.match(first.output, /was interrupted/);
  const second = await start();
  assert.equal(second.code, 0, second.output);
  assert.match(second.output, /small is up\./);
});

test("an unreachable proxy does not matter, because the engine is on loopback", async () => {
  const away = "http://127.0.0.1:9";
  const proxied = await start(undefined, { http_proxy: away, https_proxy: away, no_proxy: "", NO_PROXY: "" });
  assert.equal(proxied.code, 0, proxied.output);
  assert.match(proxied.output, /small is up/);
});

test("start prints the API, the kubeconfig, the times and next commands, and a second run changes nothing", async () => {
  const again = await start();
  assert.equal(again.code, 0, again.output);
  assert.match(again.output, /no changes/);
  assert.match(again.output, /API +https:\/\/127\.0\.0\.1:\d+/);
  const kubeconfig = /kubeconfig +(\S+)/.exec(again.output)?.[1] ?? "";
  assert.equal(fs.statSync(kubeconfig).mode & 0o777, 0o600);
  assert.match(again.output, /total +\d/);
});

test("start removes the lock of a killed Pulumi, and stops at the lock of a running process", async () => {
  // No kernel assigns a process id this high.
  lockOf(2 ** 22 + 1);
  const healed = await start();
  assert.equal(healed.code, 0, healed.output);
  const pulumi = runAsPulumi();
  const alive = lockOf(pulumi.pid as number);
  const refused = await start();
  pulumi.kill("SIGKILL");
  fs.rmSync(alive);
  assert.equal(refused.code, 1, refused.output);
  assert.match(refused.output, /lock/);
});

test("the shipped stack files stay clean in git, and a lost encryption salt is restored", async () => {
  const file = project.stackFile("small");
  assert.match(fs.readFileSync(file, "utf8"), /^encryptionsalt:/m);
  assert.equal(git("status", "--porcelain"), "");
  git("checkout", "HEAD", "--", ".");
  fs.writeFileSync(
    file,
    `${fs.readFileSync(file, "utf8").replace(/^encryptionsalt:.*\n/m, "")}encryptionsalt: v1:AAAA:v1:BBBB:CCCC\n`,
  );
  const again = await start();
  assert.equal(again.code, 0, again.output);
  assert.match(again.output, /no changes/);
  assert.equal(git("status", "--porcelain"), "");
});

test("destroy removes the lock of a killed Pulumi, leaves nothing of the stack, and can be repeated", async () => {
  lockOf(2 ** 22 + 1);
  const argv = ["cli/groundplane.cjs", "destroy", "--yes", "--stack", "small"];
  const ended = await run(argv);
  assert.equal(ended.code, 0, ended.output);
  assert.match(ended.output, /small is destroyed/);
  assert.ok(!fs.existsSync(path.join(project.data, "stacks", "small")));
  const again = await run(argv);
  assert.equal(again.code, 0, again.output);
  assert.match(again.output, /small is destroyed/);
});
