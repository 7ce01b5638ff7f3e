// `restore` as a user runs it, on the fake driver: what it refuses, what it recreates, and how it continues.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { dataFolder } from "../../host/data-folder";
import type { MachineRecord } from "../../hypervisors/fake/fake-store";
import { imageFor } from "../../image/recipes/image-names";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import {
  configurePools,
  fakeDriverEnvironment,
  groundplaneFor,
  mustSucceedFor,
  runInProject,
} from "../support/fake-driver-commands";
import { copyProject, type ProjectCopy } from "../support/project-copy";
import { from, to } from "../support/upgrade-step";

const STACK = "tiny";
let project: ProjectCopy;
const place = (name: string): string => path.join(project.data, name);
const inStack = (...names: readonly string[]): string => path.join(project.data, "fake", STACK, ...names);
const masters = ["master-1", "master-2", "master-3"];

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  configurePools(project, STACK, { balancers: 1, masters: 3, workers: 1, storage: 0 });
  await mustSucceed("start");
  const identity = await generateX25519Identity();
  fs.writeFileSync(place("identity"), `# created: today\n${identity}\n`);
  await mustSucceed("backup", place("backup"), "--recipient", await identityToRecipient(identity));
});
after(() => project?.remove());

const groundplane = (words: readonly string[], stack = STACK) => groundplaneFor(project, stack, words);
const mustSucceed = (...words: readonly string[]) => mustSucceedFor(project, STACK, words);
const restore = (...words: readonly string[]) =>
  groundplane(["restore", place("backup"), "--identity", place("identity"), ...words]);
const clusterId = (): string => (JSON.parse(fs.readFileSync(inStack("cluster.json"), "utf8")) as { id: string }).id;
const generation = (name: string): string | undefined =>
  (JSON.parse(fs.readFileSync(inStack("machines", name, "machine.json"), "utf8")) as MachineRecord).made?.generation;
const lose = (...names: readonly string[]): void => {
  for (const name of names) fs.rmSync(inStack("machines", name), { recursive: true });
};

test("a healthy stack is refused without --replace, and nothing changes", async () => {
  const [id, before_] = [clusterId(), generation("master-1")];
  const { code, output } = await restore("--yes");
  assert.equal(code, 1, output);
  assert.match(output, /etcd of tiny is healthy; .*\n {2}next step: add --replace/);
  assert.deepEqual([clusterId(), generation("master-1")], [id, before_]);
  assert.ok(!fs.existsSync(path.join(project.data, "stacks", STACK, "restore")));
});

test("a restore that is interrupted while it reads and asks leaves no keys", async () => {
  for (const seconds of ["1", "2", "3", "4"]) {
    const words = [
      "cli/groundplane.cjs",
      "restore",
      place("backup"),
      "--identity",
      place("identity"),
      "--stack",
      STACK,
    ];
    const argv = ["timeout", "--preserve-status", "--signal=INT", seconds, process.execPath, ...words];
    const { code, output } = await runInProject(project, argv, fakeDriverEnvironment(project));
    assert.notEqual(code, 0, output);
    assert.doesNotMatch(output, /internal error/);
    assert.ok(!fs.existsSync(path.join(project.data, "stacks", STACK, "restore.new")), `after ${seconds} s: ${output}`);
  }
});

test("after the loss of all masters, plain up names the command, and the command restores the same cluster", async () => {
  const [id, worker] = [clusterId(), generation("worker-1")];
  lose(...masters);
  const plain = await groundplane(["start"]);
  assert.equal(plain.code, 1, plain.output);
  assert.match(
    plain.output.replaceAll(/\s+/g, " "),
    /restore a backup \(`npx groundplane restore --stack tiny FILE`\)/,
  );
  const { code, output } = await restore("--yes");
  assert.equal(code, 0, output);
  assert.match(output, /tiny is restored: etcd of master-1 at revision \d+/);
  assert.equal(clusterId(), id);
  assert.equal(generation("worker-1"), worker);
  assert.ok(!fs.existsSync(path.join(project.data, "stacks", STACK, "restore")));
  assert.match(await mustSucceed("start"), /tiny is up; no changes/);
});

test("what an earlier restore left does not bring its snapshot back", async () => {
  const left = path.join(project.data, "stacks", STACK, "restore");
  fs.mkdirSync(left, { mode: 0o700 });
  lose(...masters);
  const { code, output } = await groundplane(["start"]);
  assert.equal(code, 1, output);
  assert.match(output.replaceAll(/\s+/g, " "), /restore a backup/);
  fs.rmdirSync(left);
  assert.equal((await restore("--yes")).code, 0);
});

test("plain up ends a restore that was killed after its cluster had started", async () => {
  const left = path.join(project.data, "stacks", STACK, "restore");
  const up = (word: string) =>
    runInProject(
      project,
      ["bash", "-c", `eval "$(node cli/groundplane.cjs env)" && pulumi ${word} --stack ${STACK}`],
      fakeDriverEnvironment(project),
    );
  fs.mkdirSync(left, { mode: 0o700 });
  for (const name of ["keys.json", "etcd.db", "etcdutl", "restore-member.sh"])
    fs.writeFileSync(path.join(left, name), "x");
  const preview = await up("preview");
  assert.equal(preview.code, 0, preview.output);
  assert.ok(fs.existsSync(path.join(left, "etcd.db")), "a preview changes nothing");
  const first = await up("up --yes");
  assert.equal(first.code, 0, first.output);
  assert.ok(!fs.existsSync(left));
  const second = await up("preview --expect-no-changes");
  assert.equal(second.code, 0, second.output);
});

test("a survivor without a majority is recreated, after a confirmation", async () => {
  const [id, survivor] = [clusterId(), generation("master-3")];
  lose("master-1", "master-2");
  const unconfirmed = await restore();
  assert.equal(unconfirmed.code, 1);
  assert.match(unconfirmed.output, /to recreate master-3 of tiny with the backup of .* needs a confirmation/);
  assert.equal(generation("master-3"), survivor);
  const { code, output } = await restore("--yes");
  assert.equal(code, 0, output);
  assert.notEqual(generation("master-3"), survivor);
  assert.equal(clusterId(), id);
});

test("a new stack gets the keys of the backup, and a stack with other keys is refused", async () => {
  const id = clusterId();
  await mustSucceed("destroy", "--yes");
  const { code, output } = await restore("--yes");
  assert.equal(code, 0, output);
  assert.equal(clusterId(), id);
  await mustSucceed("destroy", "--yes");
  await mustSucceed("start");
  const refused = await restore("--yes", "--replace");
  assert.equal(refused.code, 1);
  assert.match(
    refused.output,
    /tiny has other keys than the backup: .*\n {2}next step: `npx groundplane destroy --stack tiny`/,
  );
});

test("a new stack gets the release of the backup, unless its file names one", async () => {
  const imageOfMaster = (): string | undefined =>
    (JSON.parse(fs.readFileSync(inStack("machines", "master-1", "machine.json"), "utf8")) as MachineRecord).made?.spec
      .image;
  const file = project.stackFile(STACK);
  const withoutKey = fs.readFileSync(file, "utf8");
  const named = (version: string) =>
    fs.writeFileSync(file, withoutKey.replace(/^( *)pools:/m, `$1kubernetesVersion: ${version}\n$1pools:`));
  await mustSucceed("destroy", "--yes");
  named(from);
  await mustSucceed("start");
  const backup = ["--identity", place("identity"), "--yes"];
  const recipient = await identityToRecipient(fs.readFileSync(place("identity"), "utf8").split("\n")[1] ?? "");
  await mustSucceed("backup", place("former"), "--recipient", recipient);
  await mustSucceed("destroy", "--yes");
  fs.writeFileSync(file, withoutKey);
  await mustSucceed("restore", place("former"), ...backup);
  assert.equal(imageOfMaster(), imageFor("kubernetes", from, "tree"));
  assert.match(await mustSucceed("start"), /tiny is up; no changes/);
  await mustSucceed("destroy", "--yes");
  named(to);
  await mustSucceed("restore", place("former"), ...backup);
  assert.equal(imageOfMaster(), imageFor("kubernetes", to, "tree"));
  await mustSucceed("destroy", "--yes");
  fs.writeFileSync(file, withoutKey);
});

test("a file that is cut, or another key, is refused before anything changes", async () => {
  const other = await generateX25519Identity();
  fs.writeFileSync(place("other"), `${other}\n`);
  fs.writeFileSync(place("cut"), fs.readFileSync(place("backup")).subarray(0, -100));
  const wrong = await groundplane(["restore", place("backup"), "--identity", place("other"), "--replace", "--yes"]);
  assert.match(wrong.output, /the file cannot be decrypted with these identities/);
  const cut = await groundplane(["restore", place("cut"), "--identity", place("identity"), "--replace", "--yes"]);
  assert.equal(cut.code, 1);
  assert.doesNotMatch(cut.output, /internal error/);
});
