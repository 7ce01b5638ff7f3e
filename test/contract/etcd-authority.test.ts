// How a machine that joins in the middle of a rotation of etcd's authority finds the one that all members accept, with real handshakes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import * as tls from "node:tls";
import { formerEtcdAuthoritiesIn } from "../../model/former-keys";
import { makeClusterKeys, rotateKeys } from "../../provider/resources/cluster-keys";

type Keys = Readonly<Record<string, string>>;

const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-authority-"));
const scripts = path.join(__dirname, "../../cloud-init/scripts/kubernetes");
let former: Keys;
let present: Keys;

before(async () => {
  former = await makeClusterKeys();
  present = await rotateKeys(former, ["etcd-ca"]);
  for (const name of ["authority-stages", "etcd-authority"])
    fs.copyFileSync(path.join(scripts, `${name}.sh`), path.join(root, name));
  for (const name of ["etcd-command", "node.env"]) fs.writeFileSync(path.join(root, name), "");
  fs.writeFileSync(path.join(root, "cluster-state"), `state_folder=${root}\n`);
  fs.writeFileSync(path.join(root, "node.env"), "NODE_ADDRESS=127.0.0.1\n");
});
after(() => fs.rmSync(root, { recursive: true, force: true }));

const authority = (keys: Keys): string => keys["etcd-ca.crt"] ?? assert.fail("no authority");
const text = (file: string): string => fs.readFileSync(file, "utf8");

/** A member that accepts these authorities, at an address of its own. All have one port, as in a stack. */
async function member(address: string, port: number, ca: readonly string[]): Promise<tls.Server> {
  const identity = { cert: former["etcd-client.crt"] ?? "", key: former["etcd-client.key"] ?? "" };
  const server = tls.createServer({ ...identity, ca: [...ca], requestCert: true }, (socket) => socket.end());
  server.on("tlsClientError", () => undefined); // openssl sends no certificate
  server.listen(port, address);
  await once(server, "listening");
  return server;
}

/** What the machine has after `choose`, when the other members accept these authorities; empty = the member does not respond. */
async function choose(others: readonly (readonly string[])[], start: (pki: string) => void = () => undefined) {
  const folder = fs.mkdtempSync(path.join(root, "node-"));
  const pki = path.join(folder, "pki");
  const inEtcd = (name: string): string => path.join(pki, "etcd", name);
  fs.mkdirSync(inEtcd("."), { recursive: true });
  fs.writeFileSync(inEtcd("ca.crt"), authority(present));
  fs.writeFileSync(inEtcd("ca.key"), present["etcd-ca.key"] ?? "");
  fs.writeFileSync(inEtcd("former-authorities.pem"), formerEtcdAuthoritiesIn(present).join(""));
  start(pki);
  const servers: tls.Server[] = [];
  let port = 0;
  for (const [index, accepted] of others.entries()) {
    if (accepted.length === 0) continue;
    const server = await member(`127.0.0.${index + 2}`, port, accepted);
    servers.push(server);
    port = (server.address() as AddressInfo).port;
  }
  const lines = ["own 127.0.0.1", ...others.map((_accepted, index) => `member-${index} 127.0.0.${index + 2}`)];
  fs.writeFileSync(path.join(folder, "members"), lines.map((line) => `${line}\n`).join(""));
  const env = {
    ...{ ...process.env, NODE_ENVIRONMENT: path.join(root, "node.env"), PKI: pki },
    ...{ ETCD_MEMBERS_FILE: path.join(folder, "members"), ETCD_PORT: String(port || 1) },
  };
  const child = spawn("bash", [path.join(root, "etcd-authority"), "choose"], { env });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
  });
  const [code] = (await once(child, "close")) as [number];
  for (const server of servers) server.close();
  assert.deepEqual([code, said], [0, ""]);
  assert.deepEqual(fs.readdirSync(pki), ["etcd"], "nothing is left");
  const bundle = text(inEtcd("ca.crt"));
  const first = new X509Certificate(bundle);
  const key = text(inEtcd("ca.key"));
  assert.equal(key, key === present["etcd-ca.key"] ? present["etcd-ca.key"] : former["etcd-ca.key"]);
  assert.equal(first.toString(), key === present["etcd-ca.key"] ? authority(present) : authority(former));
  return { bundle, key, former: text(inEtcd("former-authorities.pem")) };
}

test("while a member accepts only the former authority, a new machine has certificates of that, and trusts both", async () => {
  const both = [authority(former), authority(present)];
  const chosen = await choose([both, [authority(former)]]);
  assert.equal(chosen.bundle, authority(former) + authority(present));
  assert.equal(chosen.key, former["etcd-ca.key"]);
  assert.ok(chosen.former.includes(present["etcd-ca.key"] ?? ""), "no key is lost");
});

test("as soon as all members accept both, a new machine has certificates of the new one, and trusts both", async () => {
  const both = [authority(former), authority(present)];
  const chosen = await choose([both, both]);
  assert.deepEqual([chosen.bundle, chosen.key], [authority(present) + authority(former), present["etcd-ca.key"]]);
});

test("when the former authority is dropped somewhere, it is trusted as long as another member has it", async () => {
  const some = await choose([[authority(present)], [authority(present), authority(former)]]);
  assert.deepEqual([some.bundle, some.key], [authority(present) + authority(former), present["etcd-ca.key"]]);
  const none = await choose([[authority(present)], [authority(present)]]);
  assert.deepEqual([none.bundle, none.key], [authority(present), present["etcd-ca.key"]]);
});

test("a member that does not respond does not matter, and without any, the machine begins with the new one", async () => {
  const one = await choose([[], [authority(former)]]);
  assert.equal(one.key, former["etcd-ca.key"]);
  const none = await choose([[], []]);
  assert.deepEqual([none.bundle, none.key], [authority(present), present["etcd-ca.key"]]);
});

test("a machine that was killed while it chose goes on, and one that has its certificates keeps their authority", async () => {
  const accepted = [[authority(former)], [authority(former)]];
  const isKilled = (pki: string): void => {
    const file = path.join(pki, "etcd/former-authorities.pem");
    fs.writeFileSync(file, `${authority(present)}${present["etcd-ca.key"]}${text(file)}`);
    fs.writeFileSync(path.join(pki, "etcd/ca.key"), former["etcd-ca.key"] ?? "");
  };
  const killed = await choose(accepted, isKilled);
  assert.deepEqual([killed.bundle, killed.key], [authority(former) + authority(present), former["etcd-ca.key"]]);
  const both = [authority(former), authority(present)];
  const afterKill = await choose([both, both], isKilled);
  assert.equal(afterKill.key, present["etcd-ca.key"]);
  const has = await choose(accepted, (pki) => fs.writeFileSync(path.join(pki, "etcd/server.crt"), ""));
  assert.equal(has.bundle, authority(present));
});
