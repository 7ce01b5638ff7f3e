// local.Command and local.run, as our programs use them. The official plugin passes the same tests.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { type TinyProject, tinyProject } from "../support/tiny-project";

let project: TinyProject;
let makeEmpty: () => void;
const file = (name: string): string => path.join(project.folder, name);
const read = (name: string): string => fs.readFileSync(file(name), "utf8");

before(async () => {
  project = await tinyProject("export {};", { compiled: true });
  await up();
  makeEmpty = project.keepState();
});
beforeEach(() => {
  project.writeProgram("export {};");
  makeEmpty();
});
after(() => project?.remove());

/** A program with one local.Command called `it`, whose outputs are the stack's. */
function commandProgram(args: string, options = "{}"): string {
  return `import { local } from "@pulumi/command";
    const it = new local.Command("it", ${args}, ${options});
    export const { stdout, stderr } = it;`;
}

async function up(args = "", options = "{}") {
  if (args) project.writeProgram(commandProgram(args, options));
  return project.pulumi(["up", "--yes", "--skip-preview"]);
}

async function outputs(): Promise<Record<string, string>> {
  return JSON.parse((await project.pulumi(["stack", "output", "--json", "--show-secrets"])).stdout);
}

test("create runs once, update runs when an input changes, delete runs when the resource is removed", async () => {
  const command = (size: number) => `{
    create: "echo created >> log; echo made; echo aside >&2",
    update: "echo updated $SIZE after $PULUMI_COMMAND_STDOUT >> log; echo changed",
    delete: "echo deleted after $PULUMI_COMMAND_STDOUT >> log",
    environment: { SIZE: "${size}" },
  }`;
  assert.equal((await up(command(1))).code, 0);
  assert.deepEqual(await outputs(), { stdout: "made", stderr: "aside" });
  assert.match((await up(command(1))).stdout, /2 unchanged/);
  assert.match((await up(command(2))).stdout, /1 updated/);
  assert.equal((await outputs()).stdout, "changed");
  project.writeProgram("export {};");
  assert.match((await up()).stdout, /1 deleted/);
  assert.equal(read("log"), "created\nupdated 2 after made\ndeleted after changed\n");
});

test("without update, create runs again, and a preview runs nothing", async () => {
  const command = (n: number) => `{ create: "echo run ${n} >> again" }`;
  await up(command(1));
  project.writeProgram(commandProgram(command(2)));
  const preview = await project.pulumi(["preview"]);
  assert.equal(preview.code, 0, preview.output);
  assert.equal(read("again"), "run 1\n");
  await up(command(2));
  assert.equal(read("again"), "run 1\nrun 2\n");
});

test("changed triggers replace the command: the new one is created before the old one is deleted", async () => {
  const command = (n: number) => `{ create: "echo create >> order", delete: "echo delete >> order", triggers: [${n}] }`;
  await up(command(1));
  assert.match((await up(command(2))).stdout, /1 replaced/);
  assert.equal(read("order"), "create\ncreate\ndelete\n");
});

test("stdin, working folder and interpreter are applied", async () => {
  fs.mkdirSync(file("below"));
  const run = await up(`{ create: "console.log(process.cwd() + ':' + require('fs').readFileSync(0, 'utf8'))",
    stdin: "höhe\\n$(id)", dir: "below", interpreter: ["node", "-e"] }`);
  assert.equal(run.code, 0, run.output);
  assert.equal((await outputs()).stdout, `${fs.realpathSync(file("below"))}:höhe\n$(id)`);
});

test("a failure shows the exit status, the command and its output, and leaves nothing behind", async () => {
  const failed = await up(`{ create: "echo so far; echo the reason >&2; exit 3", delete: "echo deleted >> never" }`);
  assert.notEqual(failed.code, 0);
  for (const part of [/exit status 3/, /exit 3/, /so far/, /the reason/]) assert.match(failed.output, part);
  project.writeProgram("export {};");
  await up();
  assert.equal(fs.existsSync(file("never")), false);
});

test("output is shown line by line, as the logging option selects", async () => {
  const shown = async (logging: string) => {
    project.writeProgram(`import { local } from "@pulumi/command";
      new local.Command("it", { create: "echo on-out-$((1+1)); echo on-err-$((1+1)) >&2", logging: "${logging}" });`);
    const run = await up();
    project.writeProgram("export {};");
    await up();
    return [/on-out-2/.test(run.output), /on-err-2/.test(run.output)];
  };
  assert.deepEqual(await shown("stdout"), [true, false]);
  assert.deepEqual(await shown("stderr"), [false, true]);
  assert.deepEqual(await shown("stdoutAndStderr"), [true, true]);
});

test("a secret on stdin is not shown, and additionalSecretOutputs keeps it encrypted in the state", async () => {
  const program = (text: string) => `import * as pulumi from "@pulumi/pulumi"; import { local } from "@pulumi/command";
    const it = new local.Command("it", { create: ${text}, stdin: pulumi.secret("hush-hush"), logging: "none" },
      { additionalSecretOutputs: ["stdout", "stderr"] });
    export const stdout = it.stdout;`;
  project.writeProgram(program(`"cat; echo"`));
  const run = await up();
  assert.equal(run.code, 0, run.output);
  assert.equal((await outputs()).stdout, "hush-hush");
  assert.ok(!run.output.includes("hush-hush"), "shown");
  assert.ok(!project.stateText().includes("hush-hush"), "in clear in the state");
});

test("a command that does not read its input succeeds", async () => {
  const run = await up(`{ create: "true", stdin: "x".repeat(1 << 20) }`);
  assert.equal(run.code, 0, run.output);
});

test("a timeout kills the interpreter only", async () => {
  const run = await up(
    `{ create: "(sleep 4; echo alive > survivor) >/dev/null 2>&1 & exec sleep 60" }`,
    `{ customTimeouts: { create: "1s" } }`,
  );
  assert.notEqual(run.code, 0);
  assert.ok(run.seconds < 45, `took ${run.seconds} s`);
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  assert.equal(read("survivor"), "alive\n");
});

test("local.run also runs in previews", async () => {
  project.writeProgram(`import { local } from "@pulumi/command";
    export const said = local.runOutput({ command: "cat; echo $NAME", stdin: "in:", environment: { NAME: "x y" } }).stdout;`);
  const preview = await project.pulumi(["preview"]);
  assert.equal(preview.code, 0, preview.output);
  assert.match(preview.stdout, /in:x y/);
});

test("import with code generation says that it is done and what to write", async () => {
  const run = await project.pulumi([
    "import",
    "command:local:Command",
    "written",
    "some-id",
    "--yes",
    "--protect=false",
  ]);
  assert.equal(run.code, 0, run.output);
  assert.match(project.stateText(), /some-id/);
  assert.match(run.output, /Please copy the following code into your Pulumi application/);
  assert.match(run.output, /new .*Command.*"written"/s);
});

test("import works without code generation", async () => {
  const run = await project.pulumi([
    "import",
    "command:local:Command",
    "found",
    "some-id",
    "--yes",
    "--generate-code=false",
    "--protect=false",
  ]);
  assert.equal(run.code, 0, run.output);
  assert.match(project.stateText(), /some-id/);
});
