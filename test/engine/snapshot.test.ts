// `snapshot` as a user runs it, on the fake driver: what it refuses, prints and asks, and that Pulumi finds no change afterwards.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import type { SnapshotState } from "../../model/stack-snapshots";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import {
  configurePools,
  fakeDriverEnvironment,
  groundplaneFor,
  mustSucceedFor,
  runInProject,
} from "../support/fake-driver-commands";
import { copyProject, type ProjectCopy } from "../support/project-copy";

const STACK = "tiny";
let project: ProjectCopy;

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  configurePools(project, STACK, { balancers: 1, masters: 1, workers: 1, storage: 0 });
  await mustSucceed("start");
});
after(() => project?.remove());

const snapshot = (...words: readonly string[]) => groundplaneFor(project, STACK, ["snapshot", ...words]);
const mustSucceed = (...words: readonly string[]) => mustSucceedFor(project, STACK, words);
const cluster = () => path.join(project.data, "fake", STACK, "cluster.json");
const folder = () => path.join(project.data, "stacks", STACK, "snapshots");
const list = async () =>
  JSON.parse(await mustSucceed("snapshot", "list", "--json")) as readonly (SnapshotState & { obstacle?: string })[];

test("a snapshot is created, listed, restored without a change for Pulumi, and deleted", async () => {
  assert.match(await mustSucceed("snapshot", "list"), /tiny has no snapshots/);
  const created = await mustSucceed("snapshot", "create", "first");
  assert.match(created, /first: 4 machines of tiny, .*on disk; they stood still for \d+\.\d s, total/);
  assert.equal(fs.statSync(folder()).mode & 0o777, 0o700);
  assert.match(await mustSucceed("snapshot", "list"), /NAME +CREATED.*\nfirst +\S+Z +\S+ \wiB +4 +yes/);
  const saved = fs.readFileSync(cluster(), "utf8");
  fs.writeFileSync(cluster(), JSON.stringify({ ...JSON.parse(saved), id: "other" }));
  const { code, output } = await snapshot("restore", "first");
  assert.equal(code, 1, output);
  assert.match(output, /needs a confirmation, and there is no terminal\n {2}next step: add --yes/);
  assert.match(await mustSucceed("snapshot", "restore", "first", "--yes"), /tiny is restored to first of .*; it took/);
  assert.equal(fs.readFileSync(cluster(), "utf8"), saved);
  const pulumi = 'eval "$(node cli/groundplane.cjs env)"; exec pulumi preview --expect-no-changes --diff --stack tiny';
  const preview = await runInProject(project, ["bash", "-c", pulumi], fakeDriverEnvironment(project));
  assert.equal(preview.code, 0, preview.output);
  assert.match(await mustSucceed("snapshot", "delete", "first", "--yes"), /first of tiny is deleted/);
  assert.deepEqual(await list(), []);
});

test("wrong names, unknown and existing ones are refused", async () => {
  for (const name of ["../x", "a.b", "-x", ""]) {
    const { code, output } = await snapshot("create", "--", name);
    assert.equal(code, 2, output);
  }
  await mustSucceed("snapshot", "create", "first");
  const again = await snapshot("create", "first");
  assert.equal(again.code, 1);
  assert.match(again.output, /tiny has a snapshot first already\n.*snapshot delete --stack tiny first`/);
  for (const word of ["restore", "delete"]) {
    const unknown = await snapshot(word, "second", "--yes");
    assert.equal(unknown.code, 1);
    assert.match(unknown.output, /tiny has no snapshot second\n {2}next step: use one of these: first/);
  }
});

test("a stack with other machines is refused with the reason, and a changed file is told", async () => {
  // As if an `up` had added it.
  const machines = path.join(project.data, "fake", STACK, "machines");
  fs.cpSync(path.join(machines, "worker-1"), path.join(machines, "worker-2"), { recursive: true });
  const record = path.join(machines, "worker-2", "machine.json");
  fs.writeFileSync(record, fs.readFileSync(record, "utf8").replaceAll("worker-1", "worker-2"));
  const { code, output } = await snapshot("restore", "first", "--yes");
  assert.equal(code, 1);
  assert.match(output, /does not fit the machines of tiny: worker-2 was added since\n {2}next step: undo/);
  assert.equal((await list())[0]?.obstacle, "worker-2 was added since");
  fs.rmSync(path.join(machines, "worker-2"), { recursive: true });
  fs.appendFileSync(project.stackFile(STACK), "# a comment\n");
  const restored = await mustSucceed("snapshot", "restore", "first", "--yes");
  assert.match(restored, /the stack's file has changed since the snapshot: npx groundplane start --stack tiny/);
});

test("a snapshot whose disks hold other keys than the state is refused and listed so", async () => {
  const record = path.join(folder(), "first", "snapshot.json");
  const saved = fs.readFileSync(record, "utf8");
  const { keys } = JSON.parse(saved) as { readonly keys: Readonly<Record<string, string>> };
  fs.writeFileSync(record, JSON.stringify({ ...JSON.parse(saved), keys: { ...keys, "ssh-user-key": "other" } }));
  const { code, output } = await snapshot("restore", "first", "--yes");
  assert.equal(code, 1);
  assert.match(
    output,
    /hold other keys than Pulumi's state of tiny \(ssh-user-key\).*\n {2}next step: bring the state of/s,
  );
  assert.match(await mustSucceed("snapshot", "list"), /no: the stack had other keys \(ssh-user-key\)/);
  assert.ok(!(await mustSucceed("snapshot", "list", "--json")).includes(keys["ssh-user-key"] ?? "no key"));
  fs.writeFileSync(record, saved);
});

test("prune removes only what an interrupted command left, and destroy says which snapshots it removes", async () => {
  fs.mkdirSync(path.join(folder(), "cut.partial"));
  const listed = await mustSucceedFor(project, STACK, ["snapshot", "list"]);
  assert.ok(!listed.includes("cut"), listed);
  const argv = [process.execPath, "cli/groundplane.cjs", "prune"];
  const { code, output } = await runInProject(project, argv, fakeDriverEnvironment(project));
  assert.equal(code, 0, output);
  assert.match(output, /snapshot +\S+ \wiB +stacks\/tiny\/snapshots\/cut\.partial +an interrupted command left it/);
  assert.match(output, /snapshot +stacks\/tiny\/snapshots\/first +snapshot restore of tiny/);
  const destroyed = await mustSucceed("destroy", "--yes");
  assert.match(destroyed, /its snapshots are removed with the machines: first/);
  assert.ok(!fs.existsSync(folder()));
});
