// Backups that masters take by themselves, as a user lists, fetches and restores them, on the fake driver.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import * as tar from "tar-stream";
import { dataFolder } from "../../host/data-folder";
import { defaultKubernetesVersion } from "../../model/releases";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { configurePools, groundplaneFor, mustSucceedFor } from "../support/fake-driver-commands";
import { copyProject, type ProjectCopy } from "../support/project-copy";
import { sealBackup } from "../support/seal-backup";

const STACK = "tiny";
const [older, newest] = ["tiny-20261129T020000Z.backup", "tiny-20261129T040000Z.backup"] as const;
let project: ProjectCopy;
const place = (name: string): string => path.join(project.data, name);
const inStack = (...names: readonly string[]): string => path.join(project.data, "fake", STACK, ...names);
const stored = (machine: string, name: string): string => inStack("machines", machine, "backups", name);

const groundplane = (words: readonly string[], stack = STACK) => groundplaneFor(project, stack, words);
const mustSucceed = (...words: readonly string[]) => mustSucceedFor(project, STACK, words);

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  configurePools(project, STACK, { balancers: 1, masters: 3, workers: 1, storage: 0 });
  await mustSucceed("start");
});
after(() => project?.remove());

/** The files of a backup that this host takes. */
async function backupFiles(): Promise<Readonly<Record<string, Buffer>>> {
  const identity = await generateX25519Identity();
  await mustSucceed("backup", place("one"), "--recipient", await identityToRecipient(identity));
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const archive = tar.extract();
  archive.end(Buffer.from(await decrypter.decrypt(fs.readFileSync(place("one")))));
  const files: Record<string, Buffer> = {};
  for await (const entry of archive) files[entry.header.name] = await buffer(entry);
  return files;
}

test("without backups, the list says so, and there is nothing to fetch", async () => {
  assert.match(await mustSucceed("backup", "list"), /the masters have taken no backup; `backups` in the stack's file/);
  const before = await groundplane(["backup", "--stack", STACK, "list"], "other");
  assert.match(before.output, /the stack other is not up/, "the last one counts");
  const { code, output } = await groundplane(["backup", "fetch"]);
  assert.equal(code, 1);
  assert.match(
    output,
    /no machine that responds has a backup\n {2}next step: `npx groundplane backup list --stack tiny`/,
  );
});

test("backups are listed with the machines that have them, and a damaged copy is passed over", async () => {
  const { "etcd.db": snapshot, "keys.json": keys } = await backupFiles();
  const { "encryption-key": key = "" } = JSON.parse(String(keys)) as Record<string, string>;
  const sealed = sealBackup(STACK, snapshot ?? assert.fail("no snapshot"), key, defaultKubernetesVersion);
  for (const machine of ["master-1", "master-2"]) fs.mkdirSync(stored(machine, ""));
  for (const machine of ["master-1", "master-2"]) fs.writeFileSync(stored(machine, newest), sealed);
  fs.writeFileSync(stored("master-1", older), sealed);
  fs.writeFileSync(stored("master-1", "notes"), "of a user");
  const lines = (await mustSucceed("backup", "list")).trim().split("\n");
  assert.match(lines.at(-3) ?? "", /^NAME +AGE +SIZE +ON$/);
  assert.match(lines.at(-2) ?? "", new RegExp(`^${older} +\\d+[mhd] +0\\.0 MiB +master-1$`));
  assert.match(lines.at(-1) ?? "", new RegExp(`^${newest} +\\d+[mhd] +0\\.0 MiB +master-1, master-2$`));
  fs.writeFileSync(stored("master-1", newest), sealed.subarray(0, -1));
  const output = await mustSucceed("backup", "fetch", newest, place("fetched"));
  assert.match(output, /^master-2: reading tiny-20261129T040000Z\.backup$/m);
  assert.match(output, /fetched\n {2}taken 2026-11-29T04:00:00\.000Z; `npx groundplane restore fetched` restores it/);
  assert.deepEqual(fs.readFileSync(place("fetched")), sealed);
  assert.equal(fs.statSync(place("fetched")).mode & 0o777, 0o600);
  fs.writeFileSync(stored("master-2", newest), "short");
  const refused = await groundplane(["backup", "fetch", newest, place("damaged")]);
  assert.equal(refused.code, 1);
  assert.match(refused.output, /could not be read: master-1: the backup is damaged, or .*; master-2: the backup is/);
  assert.ok(!fs.readdirSync(project.data).some((name) => name.startsWith("damaged")));
});

test("a fetched backup restores masters that are lost, without a passphrase", async () => {
  const other = await groundplane(["restore", place("fetched"), "--yes"], "small");
  assert.match(other.output, /the backup is of the stack tiny, not of small: .*\n {2}next step: add --stack tiny/);
  for (const name of ["master-1", "master-2", "master-3"]) fs.rmSync(inStack("machines", name), { recursive: true });
  const id = (JSON.parse(fs.readFileSync(inStack("cluster.json"), "utf8")) as { id: string }).id;
  const { code, output } = await groundplane(["restore", place("fetched"), "--yes"]);
  assert.equal(code, 0, output);
  assert.match(output, /tiny is restored: etcd of master-1 at revision 4711, 2026-11-29T04:00:00Z/);
  assert.equal((JSON.parse(fs.readFileSync(inStack("cluster.json"), "utf8")) as { id: string }).id, id);
});

test("wrong files are refused before anything begins", async () => {
  const missing = await groundplane(["restore", place("absent")]);
  assert.equal(missing.code, 1);
  assert.match(missing.output, /there is no .*absent\n {2}next step: name a file of/);
  const encrypted = await groundplane(["restore", place("one")]);
  assert.match(encrypted.output, /no terminal to ask for a passphrase\n {2}next step: set .*, or add --identity with/);
  fs.writeFileSync(place("changed"), Buffer.concat([fs.readFileSync(place("fetched")), Buffer.from("x")]));
  const changed = await groundplane(["restore", place("changed"), "--replace", "--yes"]);
  assert.match(changed.output, /the backup is damaged, or a master wrote it when the stack had other keys/);
  await mustSucceed("destroy", "--yes");
  const without = await groundplane(["restore", place("fetched"), "--yes"]);
  assert.equal(without.code, 1);
  assert.match(without.output, /which has no keys, and Pulumi's state has none either/);
});
