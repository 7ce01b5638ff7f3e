// `backup` as a user runs it, on the fake driver: what it writes, what it asks for, and when it refuses.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { dataFolder } from "../../host/data-folder";
import type { MachineRecord } from "../../hypervisors/fake/fake-store";
import type { PowerState } from "../../model/hypervisor-objects";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { keysIn } from "../../toolchain/run-pulumi/read-keys";
import { configurePools, fakeDriverEnvironment, runInProject } from "../support/fake-driver-commands";
import { copyProject, type ProjectCopy } from "../support/project-copy";

const STACK = "tiny";
let project: ProjectCopy;
const place = (name: string): string => path.join(project.data, name);

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  configurePools(project, STACK, { balancers: 1, masters: 3, workers: 1, storage: 0 });
  const { code, output } = await groundplane(["start"]);
  assert.equal(code, 0, output);
});
after(() => project?.remove());

const run = (argv: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  runInProject(project, argv, fakeDriverEnvironment(project, more));
const groundplane = (words: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  run([process.execPath, "cli/groundplane.cjs", ...words, "--stack", STACK], more);

test("a backup for a recipient has the keys of the state and the configuration, and shows none of them", async () => {
  const identity = await generateX25519Identity();
  const file = place("one.backup.age");
  const { code, output } = await groundplane(["backup", file, "--recipient", await identityToRecipient(identity)]);
  assert.equal(code, 0, output);
  assert.match(output, /^master-1: taking and verifying a snapshot of etcd$/m);
  assert.match(
    output,
    /one\.backup\.age\n {2}etcd 3\.6\.0 at revision \d+, keys and configuration of tiny, Kubernetes 1\./,
  );
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const plain = Buffer.from(await decrypter.decrypt(fs.readFileSync(file))).toString("latin1");
  const exported = await run([
    "bash",
    "-c",
    'eval "$(node cli/groundplane.cjs env)" && pulumi stack export --show-secrets --stack tiny',
  ]);
  const keys = keysIn(exported.output) ?? {};
  assert.ok(Object.keys(keys).length > 10);
  for (const [name, value] of Object.entries(keys)) {
    assert.ok(plain.includes(JSON.stringify(value)), name);
    assert.ok(!output.includes(value.split("\n")[1] ?? value), name);
  }
  assert.match(plain, /"stack": "tiny"/);
  assert.match(plain, /masters: \{count: 3\}/);
  assert.doesNotMatch(plain, /encryptionsalt/);
});

test("without a name, the file is in the current folder; a variable gives the passphrase", async () => {
  const { code, output } = await groundplane(["backup"], { GROUNDPLANE_BACKUP_PASSPHRASE: "from a variable" });
  assert.equal(code, 0, output);
  const file = /^(\/\S+\/tiny-\d{8}T\d{6}Z\.backup\.age)$/m.exec(output)?.[1] ?? assert.fail(output);
  assert.equal(path.dirname(file), project.folder);
  const folder = fs.mkdtempSync(place("folder-"));
  const inFolder = await groundplane(["backup", folder], { GROUNDPLANE_BACKUP_PASSPHRASE: "from a variable" });
  assert.match(fs.readdirSync(folder).join(), /^tiny-\d{8}T\d{6}Z\.backup\.age$/, inFolder.output);
  const decrypter = new Decrypter();
  decrypter.addPassphrase("from a variable");
  assert.ok((await decrypter.decrypt(fs.readFileSync(file))).length > 0);
});

test("a backup that cannot be encrypted is refused before anything begins, with the next step", async () => {
  const cases: readonly [words: string[], more: NodeJS.ProcessEnv, said: RegExp][] = [
    [[], {}, /there is no terminal to ask for a passphrase\n {2}next step: set GROUNDPLANE_BACKUP_PASSPHRASE_FILE or/],
    [[], { GROUNDPLANE_BACKUP_PASSPHRASE: "" }, /GROUNDPLANE_BACKUP_PASSPHRASE is set, but empty/],
    [[], { GROUNDPLANE_BACKUP_PASSPHRASE_FILE: "/nowhere" }, /names \/nowhere, which cannot be read/],
    [["--recipient", "age1x"], {}, /"age1x" is no recipient of age\n {2}next step: use a public key/],
  ];
  for (const [words, more, said] of cases) {
    const { code, output } = await groundplane(["backup", place("refused"), ...words], more);
    assert.equal(code, 1, output);
    assert.match(output, said);
    assert.doesNotMatch(output, /taking and verifying/);
    assert.ok(!fs.existsSync(place("refused")));
  }
});

test("a member that does not respond is passed over; without a majority there is no backup", async () => {
  const recipient = await identityToRecipient(await generateX25519Identity());
  const backUp = (name: string) => groundplane(["backup", place(name), "--recipient", recipient]);
  const stop = (name: string) => setPower(name, "stopped");
  stop("master-1");
  const second = await backUp("second");
  assert.equal(second.code, 0, second.output);
  assert.match(second.output, /^master-2: reading the snapshot/m);
  stop("master-2");
  const { code, output } = await backUp("third");
  assert.equal(code, 1, output);
  assert.match(
    output,
    /no member of etcd could take a snapshot: master-1: .*; master-2: .*; master-3: .*deadline exceeded\n {2}next step: see `npx groundplane status --stack tiny`/,
  );
  assert.ok(!fs.existsSync(place("third")));
});

function setPower(name: string, power: PowerState): void {
  const file = path.join(project.data, "fake", STACK, "machines", name, "machine.json");
  const record = JSON.parse(fs.readFileSync(file, "utf8")) as MachineRecord;
  fs.writeFileSync(file, JSON.stringify({ ...record, power } satisfies MachineRecord));
}
