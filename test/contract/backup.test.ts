// A backup from the member's script to the encrypted file: real bash, SSH, tar and age, with programs that stand for etcd's.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import * as tar from "tar-stream";
import { type Protection, refuseWrongRecipients } from "../../backup/encryption";
import { type Snapshot, takeSnapshot } from "../../backup/etcd-members";
import { SnapshotStream } from "../../backup/snapshot-stream";
import { type BackupManifest, writeBackup } from "../../backup/write-backup";
import { script } from "../../cloud-init/scripts/read-script";
import type { ConnectGuest, Guest } from "../../guests/guest";
import { closeGuests } from "../../guests/guest-ssh";
import { connectSshGuest } from "../../guests/ssh-guest";
import { runCommand } from "../../host/run-command";
import { guestPaths } from "../../model/guest-paths";
import type { StackOutputs } from "../../model/stack-outputs";
import type { UserError } from "../../model/user-error";
import { type SshServer, startSshServer } from "../support/ssh-server";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-backup-"));
const bin = path.join(folder, "bin");
const database = randomBytes(300 * 512);
const digest = createHash("sha256").update(database).digest();
const { signal } = new AbortController();
let server: SshServer;
/** In place of the folder of a real machine. */
const own = (text: string): string => text.replaceAll(guestPaths.etcdSnapshot, path.join(folder, "snapshot"));

/** @param saves what the shell does for `etcdctl snapshot save "$file"` */
function provide(saves: string, get = `echo '{"header":{"revision":4711}}'`): void {
  fs.mkdirSync(bin, { recursive: true });
  const etcdctl = `#!/bin/bash
case " $* " in
*" get "*) ${get} ;;
*" endpoint status "*) echo '[{"Status":{"version":"3.0.0"}}]' ;;
*" snapshot save "*) file=\${!#}; ${saves} ;;
esac
`;
  fs.writeFileSync(path.join(bin, "etcdctl"), etcdctl, { mode: 0o755 });
}
const sound = path.join(folder, "sound");
const copies = `cp ${sound} "$file"`;

before(async () => {
  fs.writeFileSync(sound, Buffer.concat([database, digest]));
  process.env.PATH = `${bin}:${process.env.PATH}`;
  server = await startSshServer();
});
after(async () => {
  await closeGuests();
  await server?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const run = (place = path.join(folder, "snapshot")) =>
  runCommand(["bash", "-s", "--", place], {
    stdin: script("backup/take-snapshot"),
    allowedExitCodes: [0, 1, 2],
  });

test("the script verifies the snapshot and leaves nothing behind", async () => {
  provide(`${copies}; stat -c %a "$(dirname "$file")" >${folder}/mode`);
  const { exitCode, stdout } = await run();
  assert.equal(exitCode, 0);
  const [answer, status, sizeAndDigest] = stdout.split("\n");
  assert.match(answer ?? "", /"revision":4711/);
  assert.match(status ?? "", /3\.0\.0/);
  assert.equal(sizeAndDigest, `${database.length + 32} ${digest.toString("hex")}`);
  assert.equal(fs.readFileSync(path.join(folder, "mode"), "utf8"), "700\n");
  assert.ok(!fs.existsSync(path.join(folder, "snapshot")));
});

test("the script refuses what is no complete snapshot, and says why", async () => {
  const cases: readonly [saves: string, reason: RegExp, get?: string][] = [
    [`head -c 1000 ${sound} >"$file"`, /the snapshot is incomplete: 1000 bytes/],
    [`{ head -c 512 /dev/zero; tail -c +513 ${sound}; } >"$file"`, /the snapshot is damaged: its digest is /],
    ["echo 'Error: no space left on device' >&2; exit 5", /no space left on device/],
    [copies, /context deadline exceeded/, "echo 'Error: context deadline exceeded' >&2; exit 1"],
  ];
  for (const [saves, reason, get] of cases) {
    provide(saves, get);
    const { exitCode, stdout, stderr } = await run();
    assert.equal(exitCode, 1, saves);
    assert.equal(stdout, "");
    assert.match(stderr, reason);
    assert.ok(!fs.existsSync(path.join(folder, "snapshot")), saves);
  }
});

test("a second backup on the same machine is refused, and what a killed one left is removed", async () => {
  provide(copies);
  const place = path.join(folder, "killed");
  fs.mkdirSync(place);
  fs.writeFileSync(path.join(place, "etcd.db"), "old");
  assert.equal((await run(place)).exitCode, 0);
  provide(`sleep 1; ${copies}`);
  const first = run();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const second = await run();
  assert.match(second.stderr, /another backup is being taken on this machine/);
  assert.equal((await first).exitCode, 0);
});

/** The gateway itself is the only machine that the server stands for. */
const outputs = (names: readonly string[]): StackOutputs =>
  ({
    gatewaySsh: { host: "127.0.0.1", port: server.port, hostKey: server.hostKey },
    sshPrivateKey: server.clientKey,
    inventory: names.map((name) => ({ name, role: "master", roles: ["master", "etcd"], hostKey: server.hostKey })),
  }) as unknown as StackOutputs;

const said: string[] = [];
const connect: ConnectGuest = async (connection, options) => {
  const guest = await connectSshGuest(connection, options);
  return { ...guest, run: (argv, more) => guest.run(argv.map(own), more) } as Guest;
};
const take = (): Promise<Snapshot> =>
  takeSnapshot(outputs(["master-1", "master-2"]), { signal, connect, progress: (line) => void said.push(line) });

async function write(file: string, protection: Protection, snapshot: Snapshot): Promise<BackupManifest> {
  const { head, member } = snapshot;
  const { version, revision, size, digest: sha256 } = head;
  const etcd = { version, revision, size, sha256, member, members: ["master-1", "master-2"] };
  const created = "2026-11-29T01:00:00.000Z";
  const manifest: BackupManifest = { format: 1, stack: "lab", created, kubernetes: "1.2.3", etcd };
  await writeBackup(file, { manifest, record, snapshot, protection }, signal);
  return manifest;
}
const record = { configuration: "config: {}\n", keys: { "kubernetes-ca.key": "the key of the authority" } };

async function read(file: string, key: (decrypter: Decrypter) => void): Promise<Record<string, Buffer>> {
  const decrypter = new Decrypter();
  key(decrypter);
  const plain = await decrypter.decrypt(fs.readFileSync(file));
  const files: Record<string, Buffer> = {};
  const extract = tar.extract();
  extract.end(Buffer.from(plain));
  for await (const entry of extract) files[entry.header.name] = await buffer(entry);
  return files;
}

test("a backup has everything, encrypted for a recipient, and only its owner can read the file", async () => {
  provide(copies);
  const identity = await generateX25519Identity();
  const file = path.join(folder, "lab.backup.age");
  fs.writeFileSync(file, "an earlier one", { mode: 0o644 });
  const snapshot = await take();
  assert.deepEqual(said, ["master-1: taking and verifying a snapshot of etcd"]);
  const manifest = await write(file, { recipients: [await identityToRecipient(identity)] }, snapshot);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.match(fs.readFileSync(file, "latin1"), /^age-encryption\.org\/v1\n-> X25519 /);
  assert.ok(!fs.readFileSync(file).includes("the key of the authority"));
  const files = await read(file, (decrypter) => decrypter.addIdentity(identity));
  assert.deepEqual(Object.keys(files), ["backup.json", "stack.yaml", "keys.json", "etcd.db"]);
  assert.deepEqual(JSON.parse(String(files["backup.json"])), manifest);
  assert.equal(manifest.etcd.revision, 4711);
  assert.equal(String(files["stack.yaml"]), record.configuration);
  assert.deepEqual(JSON.parse(String(files["keys.json"])), record.keys);
  assert.deepEqual(files["etcd.db"], fs.readFileSync(sound));
});

test("a snapshot that is cut or changed on its way leaves no file, and an earlier one as it is", async () => {
  const file = path.join(folder, "kept.backup.age");
  fs.writeFileSync(file, "an earlier one");
  const identity = await generateX25519Identity();
  const protection = { recipients: [await identityToRecipient(identity)] };
  const head = `{"header":{"revision":1}}\n[{"Status":{"version":"3.0.0"}}]\n${database.length + 32} ${digest.toString("hex")}\n`;
  const changed = Buffer.from(database);
  changed.writeUInt8(changed.readUInt8(70_000) ^ 1, 70_000);
  const cases: readonly [body: Buffer, reason: RegExp][] = [
    [database.subarray(0, 90_000), /90000 of 153632 bytes arrived/],
    [Buffer.concat([changed, digest]), /the snapshot is damaged: its digest is/],
    [Buffer.concat([database, randomBytes(32)]), /the snapshot is damaged: its digest is/],
  ];
  for (const [body, reason] of cases) {
    const content = new SnapshotStream();
    Readable.from([Buffer.from(head), ...chunksOf(body)]).pipe(content);
    const snapshot = { member: "master-1", head: await content.head, content, end: Promise.resolve() };
    await assert.rejects(write(file, protection, snapshot), reason);
    assert.equal(fs.readFileSync(file, "utf8"), "an earlier one");
  }
  assert.deepEqual(
    fs.readdirSync(folder).filter((name) => name.endsWith(".tmp")),
    [],
  );
});

const chunksOf = (body: Buffer): Buffer[] =>
  Array.from({ length: Math.ceil(body.length / 1000) }, (_, index) => body.subarray(index * 1000, (index + 1) * 1000));

test("the output's head may arrive in any pieces", async () => {
  const head = `{"header":{"revision":7}}\n[{"Status":{"version":"3.0.0"}}]\n${database.length + 32} ${digest.toString("hex")}\n`;
  const content = new SnapshotStream();
  Readable.from([...head].map((letter) => Buffer.from(letter)).concat(database, digest)).pipe(content);
  assert.equal((await content.head).revision, 7);
  assert.deepEqual(await buffer(content), fs.readFileSync(sound));
});

test("members without a majority are named with their reasons", async () => {
  provide(copies, "echo 'Error: context deadline exceeded' >&2; exit 1");
  said.length = 0;
  await assert.rejects(take(), (error: UserError) => {
    assert.equal(error.id, "no-snapshot");
    assert.match(error.message, /master-1: Error: context deadline exceeded; master-2: Error: context/);
    assert.match(error.hint, /`npx groundplane status`/);
    return true;
  });
  assert.equal(said.length, 2);
});

test("a secret key or a typing error is refused as a recipient before anything begins", async () => {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  await refuseWrongRecipients([recipient]);
  for (const wrong of [`${recipient}x`, "age1", "", "ssh-ed25519 AAAA"])
    await assert.rejects(refuseWrongRecipients([recipient, wrong]), { id: "recipient" });
  await assert.rejects(refuseWrongRecipients([identity]), (error: Error) => !error.message.includes(identity));
});
