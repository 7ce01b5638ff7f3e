// A backup that a master takes by itself: real bash, openssl, perl and sha256sum, with a program that stands for etcd's.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { readMasterBackup, stackOfMasterBackup, verifyMasterBackup } from "../../backup/master-backup";
import { script } from "../../cloud-init/scripts/read-script";
import { runCommand } from "../../host/run-command";
import { timeOfBackup } from "../../model/backups";
import { defaultKubernetesVersion } from "../../model/releases";
import type { UserError } from "../../model/user-error";

const place = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-master-backups-"));
const at = (...names: readonly string[]): string => path.join(place, ...names);
const folder = at("backups");
const keys = { "encryption-key": randomBytes(32).toString("base64") };
const database = randomBytes(700 * 512);
const snapshot = Buffer.concat([database, createHash("sha256").update(database).digest()]);
after(() => fs.rmSync(place, { recursive: true, force: true }));

const program = (name: string, text: string): void =>
  fs.writeFileSync(at("bin", name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });

before(() => {
  for (const name of ["bin", "here"]) fs.mkdirSync(at(name));
  for (const name of ["take-backup", "take-snapshot"])
    fs.writeFileSync(at("here", name), script(`backup/${name}`), { mode: 0o755 });
  fs.writeFileSync(at("here", "cluster-state"), "read_phase() { phase=${PHASE:-member}; }\n");
  fs.writeFileSync(at("snapshot"), snapshot);
  const provider = `    - secretbox:\n        keys:\n        - name: "key1"\n          secret: "${keys["encryption-key"]}"\n`;
  fs.writeFileSync(at("encryption.yaml"), `resources:\n- resources: ["secrets"]\n  providers:\n${provider}`);
  // What every process of the machine can read.
  for (const name of ["openssl", "perl", "sha256sum"])
    program(name, `printf '%s\\n' "$*" >>${at("arguments")}\nPATH=\${PATH#*:} exec ${name} "$@"`);
  program("kubeadm", `echo v${defaultKubernetesVersion}`);
  program("systemctl", `echo "$*" >>${at("systemctl")}`);
});

function provideEtcd(saves = `cp ${at("snapshot")} "$file"`): void {
  program(
    "etcdctl",
    `case " $* " in
*" get "*) echo '{"header":{"revision":4711}}' ;;
*" endpoint status "*) echo '[{"Status":{"version":"3.6.0"}}]' ;;
*" snapshot save "*) file=\${!#}; ${saves} ;;
esac`,
  );
}

beforeEach(() => {
  for (const name of [folder, at("newest")]) fs.rmSync(name, { recursive: true, force: true });
  provideEtcd();
});

const settings = {
  ...{ STACK: "lab", NODE_NAME: "master-2", BACKUP_EVERY: "21600", BACKUP_KEEP: "3", BACKUP_FOLDER: folder },
  ...{ BACKUP_WORK: at("work"), BACKUP_STATE: at("newest"), BACKUP_KEY_FILE: at("encryption.yaml") },
  ...{
    BACKUP_ETCD_CLIENT: at("client"),
    BACKUP_MEMBERS: "master-1 master-2",
  },
};

async function take(changes: Readonly<Record<string, string>> = {}, ...words: readonly string[]) {
  const lines = Object.entries({ ...settings, ...changes }).map(([name, value]) => `${name}="${value}"\n`);
  fs.writeFileSync(at("node.env"), lines.join(""));
  const env = { NODE_ENVIRONMENT: at("node.env"), PATH: `${at("bin")}:${process.env.PATH}`, PHASE: changes.PHASE };
  return runCommand([at("here", "take-backup"), ...words], { env, allowedExitCodes: [0, 1, 2] });
}
const names = (): readonly string[] => fs.readdirSync(folder).filter((name) => name !== ".lock");
const taken = async (): Promise<string> => {
  const { exitCode, stderr } = await take();
  assert.equal(exitCode, 0, stderr);
  return path.join(folder, names().at(-1) ?? assert.fail("no backup"));
};
/** As if a file had been taken earlier. */
const written = (hoursAgo: number): string => {
  const time = new Date(Date.now() - hoursAgo * 3_600_000).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `lab-${time}.backup`), "an earlier one");
  return `lab-${time}.backup`;
};

test("this host reads what a master has written, and only root can read it there", async () => {
  const file = await taken();
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
  assert.ok(!fs.existsSync(at("work")));
  assert.equal(await stackOfMasterBackup(file), "lab");
  const { manifest, record } = await readMasterBackup(file, keys, at("read.db"));
  assert.deepEqual(fs.readFileSync(at("read.db")), snapshot);
  assert.equal(fs.statSync(at("read.db")).mode & 0o777, 0o600);
  const { created, etcd, ...others } = manifest;
  assert.deepEqual(others, { format: 1, stack: "lab", kubernetes: defaultKubernetesVersion });
  assert.equal(new Date(created).getTime(), timeOfBackup(path.basename(file))?.getTime());
  assert.deepEqual([etcd.member, etcd.members, etcd.revision], ["master-2", ["master-1", "master-2"], 4711]);
  assert.equal(record.keys, keys);
  assert.equal(fs.readFileSync(at("newest"), "utf8"), `${path.basename(file)} ${fs.statSync(file).size}\n`);
});

test("no key is an argument of a program, and no text of the snapshot is in the file", async () => {
  fs.rmSync(at("arguments"), { force: true });
  const file = await taken();
  const said = fs.readFileSync(at("arguments"), "utf8");
  assert.match(said, /enc -aes-256-ctr/);
  assert.doesNotMatch(said, /[0-9a-f]{32}|[A-Za-z0-9+/]{40}/);
  assert.ok(!fs.readFileSync(file).includes(database.subarray(100_000, 100_032)));
});

test("a file from before a rotation is read with the former key of the state", async () => {
  const file = await taken();
  const [between, now] = [1, 2].map(() => randomBytes(32).toString("base64"));
  const former = JSON.stringify([between, keys["encryption-key"]]);
  const rotated = { "encryption-key": now ?? "", "former-encryption-keys": former };
  const { record } = await readMasterBackup(file, rotated, at("read.db"));
  assert.ok(fs.readFileSync(at("read.db")).subarray(0, database.length).equals(database));
  assert.deepEqual(record.keys, rotated);
});

test("a changed or cut file, or one of other keys, is refused", async () => {
  const file = await taken();
  const content = fs.readFileSync(file);
  const changed = Buffer.from(content);
  changed.writeUInt8(changed.readUInt8(200_000) ^ 1, 200_000);
  const renamed = Buffer.concat([Buffer.from("groundplane-backup-1 abc"), content.subarray(24)]);
  const refused = (error: UserError): boolean => error.id === "backup-keys";
  for (const wrong of [changed, renamed, content.subarray(0, -1), content.subarray(0, 40), Buffer.alloc(0)]) {
    fs.writeFileSync(at("wrong"), wrong);
    await assert.rejects(readMasterBackup(at("wrong"), keys, at("read.db")), refused);
  }
  await assert.rejects(verifyMasterBackup(file, { "encryption-key": randomBytes(32).toString("base64") }), refused);
  assert.equal(await stackOfMasterBackup(at("snapshot")), undefined);
});

test("a backup is taken when the newest one is old, or at once with `now`", async () => {
  const old = written(5.5);
  assert.equal((await take()).exitCode, 0);
  assert.deepEqual(names(), [old]);
  assert.match(fs.readFileSync(at("newest"), "utf8"), new RegExp(`^${old} 14$`, "m"));
  assert.equal((await take({}, "now")).exitCode, 0);
  assert.equal(names().length, 2);
  for (const name of [folder, at("newest")]) fs.rmSync(name, { recursive: true });
  written(6);
  assert.equal((await take()).exitCode, 0);
  assert.equal(names().length, 2);
});

test("the newest are kept, and the rests of killed runs are removed", async () => {
  const [, , second, last] = [40, 30, 20, 10].map(written);
  fs.writeFileSync(path.join(folder, ".new-master-1"), "half");
  fs.writeFileSync(path.join(folder, "notes"), "of a user");
  const file = await taken().then(() => names().at(-2));
  assert.deepEqual(names(), [second, last, file, "notes"]);
});

test("a backup that fails says why, and leaves the earlier ones", async () => {
  const old = written(40);
  const cases: readonly [saves: string, changes: Record<string, string>, reason: RegExp][] = [
    ["echo 'Error: no leader' >&2; exit 5", {}, /no leader/],
    [`head -c 1000 ${at("snapshot")} >"$file"`, {}, /the snapshot is incomplete/],
    [`cp ${at("snapshot")} "$file"`, { BACKUP_KEY_FILE: "/dev/null" }, /\/dev\/null has no key/],
    [
      `cp ${at("snapshot")} "$file"`,
      { BACKUP_MOUNT: folder },
      /is not mounted: the backup would be on the system disk/,
    ],
  ];
  for (const [saves, changes, reason] of cases) {
    provideEtcd(saves);
    const { exitCode, stderr } = await take(changes);
    assert.equal(exitCode, 1, String(reason));
    assert.match(stderr, reason);
    assert.deepEqual(names(), [old]);
  }
});

test("a full disk leaves no part of a backup", { skip: !fs.existsSync("/dev/full") && "no /dev/full" }, async () => {
  const old = written(40);
  program("openssl", "cat >/dev/full");
  const { exitCode, stderr } = await take();
  program("openssl", `printf '%s\\n' "$*" >>${at("arguments")}\nPATH=\${PATH#*:} exec openssl "$@"`);
  assert.equal(exitCode, 1);
  assert.match(stderr, /No space left on device/);
  assert.deepEqual(names(), [old]);
});

test("the volume is mounted from any storage machine, and one master at a time writes to it", async () => {
  const volume = at("volume");
  const onVolume = { BACKUP_VOLUME: "data", BACKUP_SERVERS: "10.0.0.1 10.0.0.2 10.0.0.3", BACKUP_MOUNT: volume };
  for (const name of ["mount", "umount"]) program(name, `echo "${name} $*" >>${at("mounts")}`);
  program("mountpoint", `[ "$2" = ${volume} ]`);
  const changes = { ...onVolume, BACKUP_FOLDER: path.join(volume, "groundplane-backups") };
  assert.equal((await take(changes)).exitCode, 0);
  assert.deepEqual(fs.readFileSync(at("mounts"), "utf8").trim().split("\n"), [
    `mount -t glusterfs -o log-level=WARNING,backup-volfile-servers=10.0.0.2:10.0.0.3 10.0.0.1:/data ${volume}`,
    `umount --lazy ${volume}`,
  ]);
  assert.equal(fs.readdirSync(changes.BACKUP_FOLDER).length, 2, "a backup and the lock");
  assert.equal((await take(changes)).exitCode, 0);
  assert.equal(fs.readFileSync(at("mounts"), "utf8").split("\n").length, 3, "nothing is mounted while none is due");
  for (const name of [changes.BACKUP_FOLDER, at("newest")]) fs.rmSync(name, { recursive: true });
  provideEtcd(`sleep 1; cp ${at("snapshot")} "$file"`);
  const first = take(changes);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const second = await take({ ...changes, NODE_NAME: "master-1" });
  assert.deepEqual([second.exitCode, second.stdout], [0, ""]);
  assert.equal((await first).exitCode, 0);
  program("mount", "exit 32");
  fs.rmSync(at("newest"));
  assert.match((await take(changes)).stderr, /the storage volume cannot be mounted/);
});

test("a master that is no member waits, and without the key in the configuration the timer stops", async () => {
  assert.equal((await take({ PHASE: "joining" })).exitCode, 0);
  assert.ok(!fs.existsSync(folder));
  assert.equal((await take({ BACKUP_EVERY: "" })).exitCode, 0);
  assert.equal(fs.readFileSync(at("systemctl"), "utf8"), "stop --no-block groundplane-backup.timer\n");
});

test("a machine lists the backups on its disks, and reads one", async () => {
  const name = path.basename(await taken());
  const disk = path.join(at("disks"), "brick", "volume", "groundplane-backups");
  fs.mkdirSync(disk, { recursive: true });
  fs.writeFileSync(path.join(disk, "lab-20260101T000000Z.backup"), "");
  fs.writeFileSync(path.join(disk, "lab-20260102T000000Z.backup"), "one");
  const text = script("backup/stored-backups")
    .replace("/var/lib/groundplane/backups", folder)
    .replaceAll("/data/", `${at("disks")}/`);
  const ask = (...words: readonly string[]) =>
    runCommand(["bash", "-s", "--", ...words], { stdin: text, allowedExitCodes: [0, 1] });
  assert.equal(
    (await ask("list")).stdout,
    `${name} ${fs.statSync(path.join(folder, name)).size}\nlab-20260102T000000Z.backup 3\n`,
  );
  assert.equal((await ask("read", "lab-20260102T000000Z.backup")).stdout, "one");
  assert.match((await ask("read", "lab-20260101T000000Z.backup")).stderr, /there is no lab-20260101T000000Z\.backup/);
});
