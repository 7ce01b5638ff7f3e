// The documents' commands exist, and the examples of README and docs/ work as described: on the fake driver, in a separate project
// and data folder.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { codeIn, commandLines, documents, guide, projectFolder, readDocument } from "../support/documents";
import { copyProject, type ProjectCopy } from "../support/project-copy";

let project: ProjectCopy;

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
});
after(() => project?.remove());

/** A line as a user types it, in a shell in the project's folder. */
function type(line: string, { cwd = project.folder, ...more }: NodeJS.ProcessEnv = {}) {
  const env: NodeJS.ProcessEnv = {
    ...project.environment,
    ...more,
    GROUNDPLANE_DRIVER: "fake",
    npm_config_update_notifier: "false",
  };
  for (const name of Object.keys(env)) if (/^(?:PULUMI_|NODE_TEST_CONTEXT|NODE_OPTIONS)/.test(name)) delete env[name];
  const { status, stdout, stderr } = spawnSync("bash", ["-c", line], { cwd, env, encoding: "utf8" });
  return { status, stdout, stderr, said: `${line}\n${stdout}\n${stderr}` };
}

const { scripts } = JSON.parse(fs.readFileSync(path.join(projectFolder, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

test("what ~/.bashrc gets completes groundplane in any folder, also a second time, and asks no npx there", () => {
  const home = path.join(project.data, "home");
  fs.mkdirSync(path.join(home, "bin"), { recursive: true });
  const write = "npx groundplane completion bash > ~/.groundplane-completion.bash";
  const evaluate = "source ~/.groundplane-completion.bash";
  for (const place of [readDocument("docs/commands.md"), type("npx groundplane completion --help").stdout])
    for (const line of [write, evaluate]) assert.ok(place.includes(line), line);
  assert.equal(type(write, { HOME: home }).status, 0);
  fs.writeFileSync(path.join(home, "bin", "npx"), "#!/bin/sh\necho asked >&2\n", { mode: 0o755 });
  const complete = (...words: readonly string[]) =>
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _groundplane ${words[0]}; echo "\${COMPREPLY[@]}"`;
  const lines = [
    ...[evaluate, evaluate, complete("npx", "groundplane", "ssh", "bal"), complete("groundplane", "stat")],
    ...[complete("groundplane", "status", "--stack", "prod"), complete("npx", "other", "s")],
  ];
  const elsewhere = { cwd: home, HOME: home, PATH: `${path.join(home, "bin")}:${process.env.PATH}` };
  const { status, stdout, stderr } = type(lines.join("\n"), elsewhere);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.deepEqual(stdout.split("\n"), ["balancer-1 balancer-2", "status", "production", "", ""]);
});

test("what the documents explain can be explained, without a stack that runs", () => {
  const lines = documents
    .flatMap((document) => codeIn(readDocument(document)))
    .flatMap((code) => /^npx groundplane (explain(?: [a-z\d.-]+)*)$/.exec(code)?.[1] ?? []);
  assert.ok(new Set(lines).size > 5);
  for (const line of new Set(lines)) {
    const { status, stdout, said } = type(`node cli/groundplane.cjs ${line}`);
    assert.equal(status, 0, said);
    assert.ok(stdout.split("\n").length > 10, said);
  }
});

test("npm scripts that the documents name exist", () => {
  const named = documents.flatMap((document) =>
    codeIn(readDocument(document)).flatMap((code) =>
      [...code.matchAll(/npm (?:run )?([a-z][a-z:0-9-]*)/g)].map(([, script = ""]) => ({ document, script })),
    ),
  );
  assert.ok(named.length > 20);
  for (const { document, script } of named) {
    assert.ok(["ci", "install"].includes(script) || Object.hasOwn(scripts, script), `${document}: npm run ${script}`);
  }
});

test("the README's table has exactly the existing commands", () => {
  const help = type("npx groundplane --help").stdout;
  const known = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name).filter((name) => name !== "help");
  const table = [...readDocument("README.md").matchAll(/^\| `npx groundplane ([a-z]+)/gm)].map(([, name = ""]) => name);
  assert.deepEqual([...new Set(table)].sort(), known.sort());
});

test("commands that the documents name exist with their options", () => {
  const lines = documents
    .flatMap((document) => codeIn(readDocument(document)))
    .flatMap((code) => {
      const words = /(?:npx )groundplane ([a-z][^)"|]*)/.exec(code)?.[1];
      return words ? [words.split(" -- ")[0]?.trim() ?? ""] : [];
    });
  assert.ok(lines.length > 10);
  const helps = new Map<string, ReturnType<typeof type>>();
  for (const line of new Set(lines)) {
    const words = line.split(" ");
    const name = words.slice(0, ["image", "part", "bundle"].includes(words[0] ?? "") ? 2 : 1).join(" ");
    const help = helps.get(name) ?? type(`node cli/groundplane.cjs ${name} --help`);
    helps.set(name, help);
    const { status, stdout, said } = help;
    assert.equal(status, 0, said);
    for (const option of words.filter((word) => word.startsWith("--")))
      assert.ok(stdout.includes(option), `${line}: ${option}`);
  }
});

/** Programs at the start of a line that do not belong to the project. */
const standardPrograms = ["npm", "npx", "eval", "export", "kubectl", "pulumi", "cp", "RECORD=1"];

test("command lines begin with known programs", () => {
  for (const document of documents) {
    for (const line of commandLines(readDocument(document))) {
      assert.ok(standardPrograms.includes(line.split(" ")[0] ?? ""), `${document}: ${line}`);
    }
  }
});

test("the examples of README and docs/ work as described", { timeout: 20 * 60_000 }, () => {
  const lines = guide.flatMap((document) => commandLines(readDocument(document)));
  const ran: string[] = [];
  const run = (line: string, typed = line) => {
    assert.ok(lines.includes(line), `the documents have ${line}`);
    const result = type(typed);
    assert.equal(result.status, 0, result.said);
    ran.push(line);
    return result;
  };
  assert.deepEqual(lines.slice(0, 2), ["npm start", "npm test"], "the README begins with the two commands");
  assert.equal(guide[0], "README.md");
  assert.match(run("npm start").stdout, /lab is up\./);
  const kubeconfig = "export KUBECONFIG=$(npx groundplane kubeconfig --path)";
  assert.match(run(kubeconfig, `${kubeconfig}; cat "$KUBECONFIG"`).stdout, /^kind: "Config"$/m);
  const shell = 'eval "$(npx groundplane env)"';
  run(shell);
  const preview = "pulumi preview --stack lab --diff";
  assert.match(run(preview, `${shell}; ${preview}`).stdout, /unchanged/);
  const up = "pulumi up --stack lab";
  assert.match(run(up, `${shell}; ${up} --yes --skip-preview`).stdout, /unchanged/);
  assert.match(run("npx groundplane preview --stack lab").stdout, /No node changes/);
  const author = "git -c user.name=test -c user.email=test@example.org";
  const history = `git init --quiet --initial-branch=main && git add --all && ${author} commit --quiet --message base`;
  const review = "npx groundplane preview --stack lab --base main --markdown preview.md --json preview.json";
  assert.match(run(review, `${history} && ${review}`).stdout, /No node changes/);
  run("npx groundplane snapshot create before-change");
  assert.match(run("npx groundplane snapshot list").stdout, /before-change .* yes/);
  for (const word of ["restore", "delete"])
    run(`npx groundplane snapshot ${word} before-change`, `npx groundplane snapshot ${word} before-change --yes`);
  run("npx groundplane destroy", "npx groundplane destroy --yes");
  assert.ok(!fs.existsSync(path.join(project.data, "stacks", "lab")));
  // The remaining lines need machines. test/e2e and test/topologies run them.
  const rest = lines.filter(
    (line) =>
      !ran.includes(line) &&
      !/^(?:npm test|kubectl |npx groundplane (?:ssh|status|verify|doctor --smoke|image push))/.test(line),
  );
  assert.deepEqual(rest, []);
});

test("a user's own stack starts as a copy", () => {
  const [copy = "", diagram = ""] = commandLines(readDocument("stacks/README.md"));
  assert.match(type(copy).said, /^cp /);
  assert.match(type(diagram).stdout, /^mine\.internal/m);
});

test("CONTRIBUTING names every tier and every room", () => {
  const document = readDocument("CONTRIBUTING.md");
  for (const script of Object.keys(scripts).filter((name) => /^test:|^check$|^bench$/.test(name))) {
    assert.match(document, new RegExp(`npm run ${script}\\b`), script);
  }
  const tracked = execFileSync("git", ["ls-files"], { cwd: projectFolder, encoding: "utf8" }).split("\n");
  const rooms = new Set(tracked.flatMap((file) => /^([a-z-]+)\//.exec(file)?.[1] ?? []));
  for (const room of rooms) assert.ok(document.includes(`\`${room}`), room);
});
