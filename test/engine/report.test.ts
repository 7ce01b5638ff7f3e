// The archive for a bug report, of a stack on the fake driver whose nodes and logs print every secret.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, type CommandOutput, mustSucceed } from "../support/cluster-under-test";
import { configurePools, fakeDriverEnvironment } from "../support/fake-driver-commands";
import { copyProject, type ProjectCopy } from "../support/project-copy";
import { occurrencesOfSecrets, secretsOf } from "../support/secret-scan";

const STACK = "tiny";
const TOKEN = "value-of-a-variable";
let project: ProjectCopy;
let cluster: ClusterUnderTest;
let secrets: ReadonlyMap<string, string>;
let place = "";
let home = "";

/** Instead of the system's ssh: prints the file as the journal of each node but one, and as the events of the second master. */
const SSH = `#!/bin/sh
case " $* " in *" worker-1 "*|*" master-1 "*"get events"*) echo "ssh: connect to host worker-1: Connection refused" >&2; exit 255 ;; esac
cat "$JOURNAL"
`;

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  place = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  home = path.join(place, "home", "somebody-else");
  for (const folder of [home, path.join(place, "bin")]) fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(place, "bin", "ssh"), SSH, { mode: 0o755 });
  const environment = fakeDriverEnvironment(project, {
    ...{ PATH: `${path.join(place, "bin")}:${process.env.PATH}`, JOURNAL: path.join(place, "journal") },
    ...{ HOME: home, SOME_API_TOKEN: TOKEN },
  });
  configurePools(project, STACK, { balancers: 1, masters: 3, workers: 1, storage: 0 });
  cluster = new ClusterUnderTest({ ...project, environment }, STACK);
  mustSucceed("start", await cluster.groundplane("start"));
  secrets = new Map([
    ...(await secretsOf(cluster)),
    ["variable", TOKEN],
    ["passphrase", fs.readFileSync(path.join(project.data, "passphrase"), "utf8").trim()],
  ]);
  fs.writeFileSync(path.join(place, "journal"), everySecret(), { mode: 0o600 });
});
after(() => {
  project?.remove();
  if (place) fs.rmSync(place, { recursive: true, force: true });
});

/** As programs might print them, beside what identifies the user. */
function everySecret(): string {
  const forms = [...secrets].flatMap(([name, value]) => [
    `${name} ${value}`,
    JSON.stringify({ [name]: value }),
    `${name}=${Buffer.from(value).toString("base64")}`,
    `    ${value.split("\n")[1] ?? ""}`,
  ]);
  return `start of the journal\n${forms.join("\n")}\n${home}/file on ${os.hostname()}\nend of the journal\n`;
}

/** Runs the command, and returns the files of the archive. */
async function report(...words: string[]): Promise<{ output: CommandOutput; files: ReadonlyMap<string, string> }> {
  const folder = fs.mkdtempSync(path.join(place, "report-"));
  const file = path.join(folder, "report.tar.gz");
  const output = mustSucceed("report", await cluster.groundplane("report", file, ...words));
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.ok(output.stdout.includes(file), output.stdout);
  execFileSync("tar", ["-xzf", file, "-C", folder, "--strip-components=1"]);
  fs.rmSync(file);
  const found = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = found.map((entry) => path.join(entry.parentPath, entry.name));
  const files = new Map(paths.map((each) => [path.relative(folder, each), fs.readFileSync(each, "utf8")]));
  return { output, files };
}

/** Short names and those of every other host stay, because they are words of logs. */
const isTelling = (hostName: string): boolean => hostName.length > 2 && !/^(?:localhost|debian|ubuntu)$/.test(hostName);

function assertNothingPrivate(files: ReadonlyMap<string, string>, output: CommandOutput): void {
  const empty = fs.mkdtempSync(path.join(place, "empty-"));
  for (const [name, text] of [...files, ["output", `${output.stdout}${output.stderr}`] as const]) {
    assert.deepEqual(occurrencesOfSecrets(secrets, { transcript: [text], commandLines: [], data: empty }), [], name);
    assert.doesNotMatch(text, /PRIVATE KEY/, name);
    if (name === "output") continue;
    assert.ok(!text.includes(home) && !text.includes("somebody-else"), `home in ${name}`);
    if (isTelling(os.hostname())) assert.ok(!text.includes(os.hostname()), `host name in ${name}`);
  }
}

test("the report has everything about the stack, and no secret, home or name", async () => {
  fs.appendFileSync(path.join(project.data, "stacks", STACK, "logs", "up.log"), everySecret());
  const { output, files } = await report();
  const expected = ["about.json", "versions.json", "plan.json", "status.json", "doctor.json", "machines.json"];
  expected.push(
    `configuration/Pulumi.${STACK}.yaml`,
    "pulumi/history.json",
    "pulumi/resources.json",
    "logs/host/logs/up.log",
  );
  expected.push("cluster/events.txt", "logs/nodes/gateway/journal.txt", "logs/nodes/master-1/console.txt");
  for (const name of expected) assert.ok(files.has(name), `${name} is among ${[...files.keys()].join(", ")}`);
  assertNothingPrivate(files, output);
  const journal = files.get("logs/nodes/gateway/journal.txt") ?? "";
  assert.match(journal, /^start of the journal\n/);
  assert.match(journal, /<redacted>/);
  assert.match(journal, /\n~\/file on \S+\nend of the journal\n$/);
  assert.match(files.get("pulumi/resources.json") ?? "", /groundplane:index:Machine::gateway/);
  assert.match(files.get("pulumi/history.json") ?? "", /"result": "succeeded"/);
  assert.doesNotMatch(files.get("pulumi/history.json") ?? "", /git\.author/);
  const { missing, redaction } = JSON.parse(files.get("about.json") ?? "{}");
  assert.deepEqual(
    missing.map(({ file }: { readonly file: string }) => file),
    ["logs/nodes/worker-1/journal.txt"],
  );
  assert.match(missing[0].reason, /Connection refused/);
  assert.match(redaction, /by their values/);
  assert.match(output.stderr, /not in the report: logs\/nodes\/worker-1\/journal\.txt: /);
});

test("a stack that has lost its state, and whose file is wrong, still has a report", async () => {
  const state = path.join(project.data, "state", ".pulumi", "stacks", "groundplane", `${STACK}.json`);
  fs.writeFileSync(path.join(project.data, "stacks", STACK, "logs", "up.log"), "what was done\n");
  for (const file of [state, `${state}.bak`]) fs.rmSync(file, { force: true });
  fs.writeFileSync(project.stackFile(STACK), "config: {groundplane:dataCenter: {pools: {masters: {count: 99}}}}\n");
  const { output, files } = await report("--json");
  const { missing } = JSON.parse(output.stdout) as { missing: { file: string; reason: string }[] };
  const named = Object.fromEntries(missing.map(({ file, reason }) => [file, reason]));
  assert.match(named["plan.json"] ?? "", /masters/);
  assert.match(named["status.json"] ?? "", /Pulumi's state of tiny is gone/);
  assert.match(named["cluster/events.txt"] ?? "", /Pulumi's state of tiny is gone/);
  assert.match(named["logs/nodes"] ?? "", /Pulumi's state of tiny is gone/);
  assert.match(files.get("machines.json") ?? "", /"name": "master-1"/);
  assert.equal(files.get("logs/host/logs/up.log"), "what was done\n");
  assertNothingPrivate(files, output);
});

test("a stack that does not exist is an error", async () => {
  const { exitCode, stderr } = await cluster.run([
    ...[process.execPath, "cli/groundplane.cjs", "report", path.join(place, "never.tar.gz"), "--stack", "never"],
  ]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /there is no stacks\/Pulumi\.never\.yaml/);
  assert.ok(!fs.existsSync(path.join(place, "never.tar.gz")));
});
