// What the engine expects of a Node.js language host. The official host passes the same tests.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { OFFICIAL, type TinyProject, tinyProject } from "../support/tiny-project";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config();
export const size: number = config.getNumber("size") ?? 1;
export const where = process.cwd();
export const names = config.getObject<string[]>("names") ?? [];
export const token = config.getSecret("token") ?? "none";
export const run = [pulumi.getProject(), pulumi.getStack(), pulumi.getOrganization(), pulumi.runtime.isDryRun()];
`;

let project: TinyProject;
before(async () => {
  project = await tinyProject(PROGRAM);
});
after(() => project?.remove());

const outputs = async (): Promise<Record<string, unknown>> =>
  JSON.parse((await project.pulumi(["stack", "output", "--json", "--show-secrets"])).stdout);

test("preview shows the program's outputs and changes nothing", async () => {
  const preview = await project.pulumi(["preview", "--stack", "dev"]);
  assert.equal(preview.code, 0, preview.output);
  assert.match(preview.stdout, /size\s*: 1/);
  assert.deepEqual(await outputs(), {});
});

test("up runs the program in its folder, with project, stack and organization", async () => {
  const up = await project.pulumi(["up", "--yes", "--skip-preview"]);
  assert.equal(up.code, 0, up.output);
  const { where, run } = await outputs();
  assert.equal(where, fs.realpathSync(project.folder));
  assert.deepEqual(run, ["tiny", "dev", "organization", false]);
  const again = await project.pulumi(["up", "--yes", "--skip-preview"]);
  assert.match(again.stdout, /1 unchanged/);
});

test("configuration reaches the program, secrets stay secret", async () => {
  assert.equal((await project.pulumi(["config", "set", "size", "3"])).code, 0);
  assert.equal((await project.pulumi(["config", "set", "--path", "names[0]", "a:b=c"])).code, 0);
  assert.equal((await project.pulumi(["config", "set", "--secret", "token"], { stdin: "s3cret-of-dev" })).code, 0);
  const up = await project.pulumi(["up", "--yes", "--skip-preview"]);
  assert.equal(up.code, 0, up.output);
  const { size, names, token } = await outputs();
  assert.deepEqual({ size, names, token }, { size: 3, names: ["a:b=c"], token: "s3cret-of-dev" });
  assert.ok(!up.output.includes("s3cret-of-dev"), "shown by up");
  assert.ok(!project.stateText().includes("s3cret-of-dev"), "in clear in the state");
});

test("output of the program is shown", async () => {
  project.writeProgram(`console.log("said on stdout"); console.error("said on stderr");`);
  const up = await project.pulumi(["up", "--yes", "--skip-preview"]);
  assert.equal(up.code, 0, up.output);
  assert.match(up.stdout, /said on stdout/);
  assert.match(up.stdout, /said on stderr/);
});

for (const [how, program] of Object.entries({
  "an error": `throw new Error("the reason why");`,
  "a rejected promise": `import "@pulumi/pulumi"; Promise.reject(new Error("the reason why"));`,
  "a RunError": `import * as pulumi from "@pulumi/pulumi"; throw new pulumi.RunError("the reason why");`,
})) {
  test(`${how} in the program is reported once, without delay`, async () => {
    project.writeProgram(program);
    const up = await project.pulumi(["preview"]);
    assert.notEqual(up.code, 0);
    const diagnostics = up.output.split("Diagnostics:")[1] ?? "";
    assert.equal(diagnostics.match(/the reason why/g)?.length, 1, up.output);
    // On an idle machine it takes 2 s. Other test files use the processors at the same time.
    assert.ok(up.seconds < 40, `took ${up.seconds} s`);
  });
}

test("a non-zero exit code of the program is a failure", async () => {
  project.writeProgram("process.exit(7);");
  const up = await project.pulumi(["preview"]);
  assert.notEqual(up.code, 0);
});

test("a missing @pulumi/pulumi is named", async () => {
  const modules = path.join(project.folder, "node_modules");
  fs.renameSync(modules, `${modules}.away`);
  try {
    const up = await project.pulumi(["preview"]);
    assert.notEqual(up.code, 0);
    assert.match(up.output, /the Pulumi SDK has not been installed/);
  } finally {
    fs.renameSync(`${modules}.away`, modules);
  }
});

test("Ctrl-C ends a program that hangs, and the stack stays usable", async () => {
  project.writeProgram(`console.log("it hangs now"); setInterval(() => undefined, 1000); await0();
    function await0() { return new Promise(() => undefined); }
    export default async () => await0();`);
  let interrupted = 0;
  const up = await project.pulumi(["up", "--yes", "--skip-preview"], {
    onOutput: (output, pid) => {
      if (!/it hangs now/.test(output) || interrupted++ > 0) return;
      process.kill(pid, "SIGINT");
    },
  });
  assert.equal(interrupted > 0, true, "the program never started");
  assert.notEqual(up.code, 0);
  assert.ok(up.seconds < 60, `took ${up.seconds} s`);
  project.writeProgram("export const fine = true;");
  const again = await project.pulumi(["up", "--yes", "--skip-preview"]);
  assert.equal(again.code, 0, again.output);
});

test("about prints the runtime and its version", async () => {
  const about = await project.pulumi(["about", "--json"]);
  assert.equal(about.code, 0, about.output);
  const { runtime } = JSON.parse(about.stdout);
  assert.equal(runtime.language, "nodejs");
  // The official host says it with or without the leading letter, depending on its version.
  assert.equal(runtime.version.trim().replace(/^v/, ""), process.versions.node);
});

// The official host asks npm, which does not describe modules behind a symbolic link.
test("about prints the dependencies and the plugins", async (context) => {
  if (!project.standIns.host) return context.skip(OFFICIAL);
  const { dependencies, plugins } = JSON.parse((await project.pulumi(["about", "--json"])).stdout);
  const named = (list: { name: string; version: string }[], name: string) => list.find((item) => item.name === name);
  assert.equal(named(dependencies, "@pulumi/pulumi")?.version, "3.248.0");
  assert.equal(named(plugins, "command")?.version, "1.2.1");
});
