// A stack whose Pulumi state is gone while its machines are on the host: what commands say, and the way out.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { fakeDriverEnvironment, runInProject } from "../support/fake-driver-commands";
import { copyProject, type ProjectCopy } from "../support/project-copy";

const STACK = "tiny";
let project: ProjectCopy;

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  const pool = (name: string) => `    ${name}: {count: 1}\n`;
  const pools = `${["balancers", "masters", "workers"].map(pool).join("")}    storage: {count: 1, disks: [{name: brick, sizeGiB: 1}]}\n`;
  fs.writeFileSync(project.stackFile(STACK), `config:\n  groundplane:dataCenter:\n   pools:\n${pools}`);
  await mustSucceed(["start"]);
});
after(() => project?.remove());

const run = (argv: readonly string[]) => runInProject(project, argv, fakeDriverEnvironment(project));

const groundplane = (words: readonly string[]) =>
  run([process.execPath, "cli/groundplane.cjs", ...words, "--stack", STACK]);

async function mustSucceed(words: readonly string[]): Promise<string> {
  const { code, output } = await groundplane(words);
  assert.equal(code, 0, `${words.join(" ")}: ${output}`);
  return output;
}

async function mustFail(words: readonly string[]): Promise<string> {
  const { code, output } = await groundplane(words);
  assert.equal(code, 1, `${words.join(" ")}: ${output}`);
  return output;
}

const stateFile = () => path.join(project.data, "state", ".pulumi", "stacks", "groundplane", `${STACK}.json`);
const recorded = (kind: string): readonly string[] => {
  const folder = path.join(project.data, "fake", STACK, kind);
  return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
};

test("a stack with a state cannot lose its data disks by the option for a lost one", async () => {
  const output = await mustFail(["destroy", "--yes", "--delete-data-disks"]);
  assert.match(output, /tiny has a state, which decides about its data disks; no changes/);
  assert.equal(recorded("machines").length, 5);
});

test("after `pulumi stack rm --force`, commands name the copy of the state, which brings the stack back", async () => {
  const remove = 'eval "$(node cli/groundplane.cjs env)" && pulumi stack rm --force --yes tiny --preserve-config';
  const { code, output } = await run(["bash", "-c", remove]);
  assert.equal(code, 0, output);
  const said = await mustFail(["status"]);
  assert.match(said, /Pulumi's state of tiny is gone, but this host has its machines balancer-1, gateway, master-1,/);
  const restore = /next step: restore the state: (mv "[^"]+" "[^"]+");/.exec(said)?.[1];
  assert.ok(restore, said);
  assert.equal((await run(["bash", "-c", restore])).code, 0);
  assert.match(await mustSucceed(["start"]), /^tiny is up; no changes\./m);
});

test("without a state, every command says what is left and how to remove it, and nothing changes", async () => {
  for (const file of [stateFile(), `${stateFile()}.bak`]) fs.rmSync(file, { force: true });
  const machines = recorded("machines");
  for (const words of [["start"], ["status"], ["kubeconfig"], ["preview"], ["ssh", "master-1"], ["logs", "master-1"]]) {
    const output = await mustFail(words);
    assert.match(output, /Pulumi's state of tiny is gone, .*storage-1, worker-1; segments dmz,/, words.join(" "));
    assert.match(
      output,
      /next step: `npx groundplane destroy --stack tiny --lost-state` removes them; data disks stay/,
    );
  }
  for (const words of ["preview", "up --yes --skip-preview"]) {
    const plain = `eval "$(node cli/groundplane.cjs env)" && pulumi stack select --create tiny && pulumi ${words} --non-interactive`;
    const { code, output } = await run(["bash", "-c", plain]);
    assert.notEqual(code, 0, output);
    const text = output.replaceAll(/\s+/g, " ");
    assert.match(
      text,
      /Pulumi's state has no keys of tiny, but this host has its machines balancer-1, .*, which work with other keys/,
    );
    assert.match(text, /or remove them: `npx groundplane destroy --stack tiny --lost-state`/);
  }
  // What that `up` recorded is no state to work with.
  fs.rmSync(stateFile());
  assert.match((await groundplane(["doctor"])).output, /PROBLEM Pulumi's state of tiny is gone/);
  assert.match(
    await mustFail(["destroy", "--yes"]),
    /Pulumi has no state of these objects of tiny, .*machines balancer-1,/,
  );
  const unconfirmed = await mustFail(["destroy", "--lost-state"]);
  assert.match(
    unconfirmed,
    /destroying tiny \(machines .*; segments .* of tiny, and keep data disk storage-1-brick\) needs/,
  );
  assert.deepEqual(recorded("machines"), machines);
  assert.equal(fs.existsSync(stateFile()), false);
});

test("what another stack owns stays and is named", async () => {
  const file = path.join(project.data, "fake", STACK, "segments", "foreign.json");
  fs.writeFileSync(file, JSON.stringify({ owner: { stack: "other", urn: "urn:pulumi:other" } }));
  const output = await mustFail(["destroy", "--yes", "--lost-state"]);
  assert.match(output, /not removed, because their marks do not name tiny as the owner: segment foreign/);
  assert.deepEqual(recorded("machines"), []);
  assert.deepEqual(recorded("segments"), ["foreign.json"]);
  fs.rmSync(file);
});

test("the data disks are kept, until they are asked for by name; the next start is a new stack", async () => {
  assert.deepEqual(recorded("disks"), ["storage-1-brick.json"]);
  await mustSucceed(["destroy", "--yes", "--lost-state"]);
  assert.deepEqual(recorded("disks"), ["storage-1-brick.json"]);
  assert.match(await mustSucceed(["start"]), /^tiny is up\./m);
  fs.rmSync(stateFile());
  const output = await mustSucceed(["destroy", "--yes", "--delete-data-disks"]);
  assert.match(output, /removing what Pulumi has no state of: machines .*; data disk storage-1-brick/);
  assert.match(output, /tiny is destroyed/);
  assert.equal(fs.existsSync(path.join(project.data, "fake", STACK)), false);
  assert.equal(fs.existsSync(path.join(project.data, "stacks", STACK)), false);
});
