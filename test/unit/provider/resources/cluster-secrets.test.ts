import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { before, test } from "node:test";
import { secretValue } from "../../../../components/secrets";
import type { Guest } from "../../../../guests/guest";
import type { ClusterSecretsInputs } from "../../../../model/cluster-secrets-types";
import {
  encryptionKeysIn,
  formerEtcdAuthoritiesIn,
  formerHostSeedsIn,
  formerUserKeysIn,
} from "../../../../model/former-keys";
import type { RotationNumbers } from "../../../../model/key-rotations";
import { makeClusterKeys } from "../../../../provider/resources/cluster-keys";
import { clusterSecretsResource } from "../../../../provider/resources/cluster-secrets";
import { forgetMarks, keepMarks } from "../../../../provider/resources/kept-marks";
import { forgetLeft, noteLeft } from "../../../../provider/resources/left-members";
import { UserKeys } from "../../../../provider/resources/user-keys";
import type { Context } from "../../../../provider/rpc/resource-handler";
import { ownDataFolder } from "../../../support/own-data-folder";

type Values = Readonly<Record<string, string>>;

ownDataFolder();
const unused = () => assert.fail("asks no driver");
const userKeys = new UserKeys();
const resource = clusterSecretsResource(unused, unused, userKeys);
const lines: string[] = [];
const context = { log: (_severity: string, line: string) => lines.push(line) } as unknown as Context;
const inputsWith = (rotations?: RotationNumbers): ClusterSecretsInputs => ({
  ...{ stack: "lab", version: 1 },
  ...(rotations && { rotations }),
});

let first: Values;
before(async () => {
  first = await makeClusterKeys();
});

/** The keys after an `up` that asks for these rotations. */
async function update(values: Values, from?: RotationNumbers, to?: RotationNumbers, preview = false): Promise<Values> {
  const olds = { inputs: inputsWith(from), outputs: { ...inputsWith(from), values } };
  const outputs = await resource.update("lab/secrets", inputsWith(to), olds, preview, context);
  assert.deepEqual(outputs.rotations, to);
  return outputs.values as Values;
}

const changed = (one: Values, other: Values): readonly string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => one[name] !== other[name]).sort();

test("a higher number replaces one key, and the same or a lower number none", async () => {
  const once = await update(first, undefined, { administrator: 1 });
  assert.deepEqual(changed(first, once), ["admin.crt", "admin.key"]);
  const subjects = [first, once].map((values) => new X509Certificate(values["admin.crt"] ?? "").subject);
  assert.notEqual(subjects[0], subjects[1], "each certificate has its own name");
  assert.deepEqual(await update(once, { administrator: 1 }, { administrator: 1 }), once);
  assert.deepEqual(await update(once, { administrator: 1 }, undefined), once);
});

test("a server gets a certificate of the cluster's authority, and another one only for other names or by another authority", async () => {
  type Servers = ClusterSecretsInputs["servers"];
  const certify = async (values: Values, from: Servers, to: Servers, rotations?: RotationNumbers, preview = false) => {
    const olds = { inputs: { ...inputsWith(), servers: from }, outputs: { ...inputsWith(), servers: from, values } };
    const wanted = { ...inputsWith(rotations), ...(to && { servers: to }) };
    return (await resource.update("lab/secrets", wanted, olds, preview, context)).values as Values;
  };
  const registry = ["registry.example", "10.96.0.11"];
  const made = await certify(first, undefined, { registry });
  assert.deepEqual(changed(first, made), ["registry.crt", "registry.key"]);
  const of = (values: Values, name: string) => new X509Certificate(values[name] ?? "");
  const certificate = of(made, "registry.crt");
  assert.ok(certificate.checkIssued(of(made, "kubernetes-ca.crt")));
  assert.ok(certificate.verify(of(made, "kubernetes-ca.crt").publicKey));
  assert.ok(certificate.checkHost("registry.example") && certificate.checkIP("10.96.0.11"));
  assert.deepEqual(await certify(made, { registry }, { registry }), made);
  assert.deepEqual(await certify(made, { registry }, undefined), made);
  const other = await certify(made, { registry }, { registry: ["other.example"] });
  assert.deepEqual(changed(made, other), ["registry.crt", "registry.key"]);
  const rotated = await certify(made, { registry }, { registry }, { "kubernetes-ca": 1 });
  assert.ok(of(rotated, "registry.crt").verify(of(rotated, "kubernetes-ca.crt").publicKey));
  assert.ok(!of(made, "registry.crt").verify(of(rotated, "kubernetes-ca.crt").publicKey));
  const previewed = await certify(first, undefined, { registry }, undefined, true);
  assert.doesNotMatch(`${previewed["registry.crt"]}${previewed["registry.key"]}`, /BEGIN/);
});

test("the state keeps the user's former keys, newest first", async () => {
  const once = await update(first, undefined, { "ssh-user-key": 1 });
  assert.deepEqual(changed(first, once), ["former-ssh-user-keys", "ssh-user-key", "ssh-user-key.pub"]);
  assert.deepEqual(formerUserKeysIn(once), [first["ssh-user-key"]]);
  const twice = await update(once, { "ssh-user-key": 1 }, { "ssh-user-key": 2 });
  assert.deepEqual(formerUserKeysIn(twice), [once["ssh-user-key"], first["ssh-user-key"]]);
});

test("the state keeps the former seeds of host keys, newest first", async () => {
  const once = await update(first, undefined, { "ssh-host-keys": 1 });
  assert.deepEqual(changed(first, once), ["former-ssh-host-seeds", "ssh-host-seed"]);
  assert.match(once["ssh-host-seed"] ?? "", /^[0-9a-f]{64}$/);
  const twice = await update(once, { "ssh-host-keys": 1 }, { "ssh-host-keys": 2 });
  assert.deepEqual(formerHostSeedsIn(twice), [once["ssh-host-seed"], first["ssh-host-seed"]]);
  assert.equal(
    (await update(first, undefined, { "ssh-host-keys": 1 }, true))["ssh-host-seed"],
    "(the new ssh-host-seed)",
    "a preview makes none",
  );
});

test("etcd's authority is replaced together with what it signs, and the former ones stay in the state with their keys", async () => {
  const once = await update(first, undefined, { "etcd-ca": 1 });
  const names = ["etcd-ca.crt", "etcd-ca.key", "etcd-client.crt", "etcd-client.key", "former-etcd-authorities"];
  assert.deepEqual(changed(first, once), names);
  assert.deepEqual(formerEtcdAuthoritiesIn(once), [`${first["etcd-ca.crt"]}${first["etcd-ca.key"]}`]);
  const authority = new X509Certificate(once["etcd-ca.crt"] ?? "");
  assert.match(authority.subject, /^CN=etcd-ca-[0-9a-f]{16}$/, "servers name the authorities that they accept");
  assert.ok(new X509Certificate(once["etcd-client.crt"] ?? "").checkIssued(authority));
  const twice = await update(once, { "etcd-ca": 1 }, { "etcd-ca": 2 });
  assert.equal(formerEtcdAuthoritiesIn(twice).length, 2);
  assert.ok(formerEtcdAuthoritiesIn(twice)[0]?.includes(once["etcd-ca.key"] ?? "none"), "newest first");
});

/** Why the check refuses to go from the one set of numbers to the other. */
async function refusals(from: RotationNumbers | undefined, to: RotationNumbers | undefined): Promise<string> {
  const failures = (await resource.check?.(inputsWith(to), context, inputsWith(from))) ?? [];
  return failures.map(({ reason }) => reason).join("\n");
}

test("no authority is replaced while a node has left to get another image, and other keys are", async () => {
  await noteLeft({ stack: "lab", name: "master-2" }, { from: "former" });
  assert.match(
    await refusals(undefined, { "kubernetes-ca": 1, "etcd-ca": 1, administrator: 1 }),
    /^etcd-ca, kubernetes-ca cannot .* while master-2 got another image\. Take back the change of `secrets\.rotate\.etcd-ca`, `[^`]*`/,
  );
  assert.equal(await refusals({ "kubernetes-ca": 1 }, { "kubernetes-ca": 1, "corosync-key": 1 }), "");
  await forgetLeft({ stack: "lab", name: "master-2" });
  const marked = { run: async () => ({ code: 0, stdout: '{"metadata": {}}', stderr: "" }) } as unknown as Guest;
  await keepMarks(marked, "lab", "master-3", { signal: new AbortController().signal } as Context);
  assert.match(await refusals(undefined, { "etcd-ca": 1 }), /^etcd-ca cannot .* while master-3 got another image/);
  await forgetMarks("lab", "master-3");
  assert.equal(await refusals(undefined, { "etcd-ca": 1 }), "");
});

test("a number does not become lower than that of the key in the state", async () => {
  assert.match(
    await refusals({ administrator: 2 }, { administrator: 1 }),
    /secrets\.rotate\.administrator: 2 cannot become 1: /,
  );
  assert.match(await refusals({ administrator: 1 }, undefined), /secrets\.rotate\.administrator: 1 cannot become 0: /);
  assert.equal(await refusals(undefined, { administrator: 1 }), "");
});

test("a warning names SSH keys that are replaced together with the authority", async () => {
  lines.length = 0;
  await update(first, undefined, { "kubernetes-ca": 1, "ssh-host-keys": 1 });
  assert.match(lines.join("\n"), /SSH keys and kubernetes-ca are replaced by the same `up`/);
  lines.length = 0;
  await update(first, undefined, { "ssh-host-keys": 1 });
  assert.doesNotMatch(lines.join("\n"), /the same `up`/);
});

test("the key of Corosync is replaced alone", async () => {
  const once = await update(first, undefined, { "corosync-key": 1 });
  assert.deepEqual(changed(first, once), ["corosync-key"]);
  assert.match(once["corosync-key"] ?? "", /^[0-9a-f]{256}$/);
});

test("the cluster's authority is replaced by one of another name, and the former one stays known with its key", async () => {
  const once = await update(first, undefined, { "kubernetes-ca": 1 });
  const names = ["kubernetes-ca.crt", "kubernetes-ca.key", "kubernetes-ca-hash", "former-kubernetes-authorities"];
  assert.deepEqual(changed(first, once), names.sort());
  const { subject } = new X509Certificate(once["kubernetes-ca.crt"] ?? "");
  assert.match(subject, /^CN=kubernetes-ca-[0-9a-f]{16}$/);
  const former = `${first["kubernetes-ca.crt"]}${first["kubernetes-ca.key"]}`;
  assert.equal(secretValue(once, "former-kubernetes-authorities.pem"), former);
  const both = `${once["kubernetes-ca.crt"]}${first["kubernetes-ca.crt"]}`;
  assert.equal(secretValue(once, "kubernetes-authorities.crt"), both);
  assert.equal(secretValue(once, "api-clients.crt"), `${both}${first["admin.crt"]}`);
  assert.equal(secretValue(once, "settled-api-clients.crt"), `${once["kubernetes-ca.crt"]}${first["admin.crt"]}`);
});

test("the authority of front proxies is replaced by one of another name", async () => {
  const once = await update(first, undefined, { "front-proxy-ca": 1 });
  assert.deepEqual(changed(first, once), ["front-proxy-ca.crt", "front-proxy-ca.key"]);
  const { subject } = new X509Certificate(once["front-proxy-ca.crt"] ?? "");
  assert.match(subject, /^CN=front-proxy-ca-[0-9a-f]{16}$/);
});

test("the state keeps the former keys of Secrets, and each keeps its name", async () => {
  const once = await update(first, undefined, { "encryption-key": 1 });
  assert.deepEqual(changed(first, once), ["encryption-key", "former-encryption-keys"]);
  const twice = await update(once, { "encryption-key": 1 }, { "encryption-key": 2, "service-account-key": 1 });
  assert.deepEqual(changed(once, twice), [
    ...["encryption-key", "former-encryption-keys", "service-account.key", "service-account.pub"],
  ]);
  const secretOf = (values: Values) => values["encryption-key"];
  assert.deepEqual(encryptionKeysIn(twice), [
    { name: "key3", secret: secretOf(twice) },
    { name: "key2", secret: secretOf(once) },
    { name: "key1", secret: secretOf(first) },
  ]);
  assert.deepEqual(encryptionKeysIn(first), [{ name: "key1", secret: secretOf(first) }]);
});

test("a preview makes no key, and names the stages in their order", async () => {
  lines.length = 0;
  const planned = await update(first, undefined, { administrator: 1, "ssh-user-key": 1 }, true);
  assert.deepEqual(changed(first, planned), ["admin.crt", "admin.key", "ssh-user-key", "ssh-user-key.pub"]);
  assert.equal(planned["admin.crt"], "(the new admin.crt)");
  assert.match(
    lines.join("\n"),
    /^administrator is replaced\. The masters also accept .*; then .*; then .*\n.*ssh-user-key/,
  );
  for (const value of Object.values(first)) assert.ok(!lines.join().includes(value));
});

test("a certificate that the cluster's authority signed is not rotated: it would stay valid", async () => {
  const legacy = { ...first, "admin.crt": first["etcd-client.crt"] ?? "" };
  for (const preview of [true, false])
    await assert.rejects(update(legacy, undefined, { administrator: 1 }, preview), { id: "irrevocable-certificate" });
});

test("connections try all keys of their stack, the present one first, after a read or an update", async () => {
  const tried: (readonly string[])[] = [];
  const keys = new UserKeys();
  const connect = keys.completing(async ({ privateKey, formerKeys = [] }) => {
    tried.push([privateKey, ...formerKeys]);
    return {} as never;
  });
  const connection = { bastionPort: 1, bastionHostKey: "", address: "", hostKey: "", privateKey: "" };
  const own = clusterSecretsResource(unused, unused, keys);
  const values = { "ssh-user-key": "three", "former-ssh-user-keys": JSON.stringify(["two", "one"]) };
  const state = { inputs: inputsWith(), outputs: { ...inputsWith(), values } };
  assert.deepEqual(await own.read?.("lab/secrets", state, context), state);
  for (const privateKey of ["one", "two", "three", "of another stack"]) await connect({ ...connection, privateKey });
  const all = ["three", "two", "one"];
  assert.deepEqual(tried, [all, all, all, ["of another stack"]]);
  keys.note({ "ssh-user-key": "four", "former-ssh-user-keys": JSON.stringify(all) });
  await connect({ ...connection, privateKey: "two" });
  assert.deepEqual(tried.at(-1), ["four", ...all]);
});
