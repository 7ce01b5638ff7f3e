/**
 * Keys are rotated by plain `pulumi up`, on the real engine with machines of the fake driver: previewed in stages, once for each number,
 * and continued after a kill.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { utils } from "ssh2";
import { dataFolder } from "../../host/data-folder";
import { deriveHostKey } from "../../model/derive-host-key";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { copyProject } from "../support/project-copy";
import { secretsOf } from "../support/secret-scan";

const stack = "rotated";
const authorizedKeys = "root/root/.ssh/authorized_keys";

test("rotations", { timeout: 10 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  after(() => project.remove());
  const configure = (rotate: string): void => {
    const file = project.stackFile(stack);
    const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    const salt = /^encryptionsalt: .*\n/m.exec(before)?.[0] ?? "";
    const pools = "{balancers: {count: 2}, masters: {count: 1}, workers: {count: 1}}";
    const dataCenter = `{driver: fake, pools: ${pools}, secrets: {rotate: ${rotate}}}`;
    fs.writeFileSync(file, `${salt}config:\n  groundplane:dataCenter: ${dataCenter}\n`);
  };
  const pulumi = (...words: string[]) => cluster.pulumi(...words, "--non-interactive");
  const up = async () => mustSucceed("up", await pulumi("up", "--yes", "--skip-preview", "--suppress-outputs")).stdout;
  const machines = path.join(project.data, "fake", stack, "machines");
  const loginsOf = (node: string): string => fs.readFileSync(path.join(machines, node, authorizedKeys), "utf8");
  const nodes = ["gateway", "balancer-1", "balancer-2", "master-1", "worker-1"];
  const hostKeyOn = (node: string): string => {
    const key = utils.parseKey(fs.readFileSync(path.join(machines, node, "root/etc/ssh/ssh_host_ed25519_key")));
    assert.ok(!(key instanceof Error));
    return `ssh-ed25519 ${key.getPublicSSH().toString("base64")}`;
  };
  const followedFile = path.join(project.data, "stacks", stack, "followed-host-keys.json");
  const followedKeys = (): readonly string[] => Object.keys(JSON.parse(fs.readFileSync(followedFile, "utf8")));
  const clients = (): string =>
    fs.readFileSync(path.join(machines, "master-1/root/etc/kubernetes/api-server/clients.crt"), "utf8");

  configure("{}");
  mustSucceed("init", await pulumi("stack", "init"));
  await up();
  const first = await secretsOf(cluster);
  const [firstLogins, firstClients] = [loginsOf("worker-1"), clients()];

  const others =
    "administrator: 1, ssh-user-key: 1, ssh-host-keys: 1, encryption-key: 1, service-account-key: 1, etcd-ca: 1, front-proxy-ca: 1, corosync-key: 1";

  await t.test("a preview explains the stages and makes no key", async () => {
    configure(`{${others}, kubernetes-ca: 1}`);
    const { stdout } = mustSucceed("preview", await pulumi("preview"));
    const line = stdout.replaceAll(/\s+/g, " ");
    assert.match(
      line,
      /administrator is replaced\. The masters also accept the new certificate; then .* no longer accept/,
    );
    assert.match(line, /ssh-user-key is replaced\. Groundplane offers the new key/);
    assert.match(
      line,
      /ssh-host-keys is replaced\. Groundplane also accepts the new key of each node; then .* new keys only/,
    );
    assert.match(line, /gateway-host-key create/);
    assert.match(line, /encryption-key is replaced\. Each API server also reads the new key; then .* the new key only/);
    assert.match(line, /service-account-key is replaced\. Each API server also accepts tokens of the new key; then/);
    assert.match(
      line,
      /etcd-ca is replaced\. Etcd and the API servers also accept certificates of the new authority; then/,
    );
    assert.match(
      line,
      /front-proxy-ca is replaced\. API servers and extensions also accept .* no longer accept them\./,
    );
    assert.match(
      line,
      /corosync-key is replaced\. The gateway and the balancers get .* change to the new one at once\./,
    );
    assert.match(line, /gateway-corosync-key-use create/);
    assert.match(line, /kubernetes-ca is replaced\. API servers also accept .* restart your pods that use the API/);
    for (const stage of [
      "etcd-ca-trust",
      "etcd-ca-reissue",
      "etcd-ca-drop",
      "front-proxy-ca-withdraw",
      "kubernetes-ca-drop",
    ])
      assert.match(line, new RegExp(`master-1-${stage} create`));
    assert.deepEqual(await secretsOf(cluster), first);
  });

  await t.test("up replaces all keys everywhere, once, also when its provider is killed in the middle", async () => {
    // With a rotation of the cluster's authority, masters keep the clients themselves, and machines of the fake driver do not.
    configure(`{${others}}`);
    const rolling = pulumi("up", "--yes", "--skip-preview", "--suppress-outputs");
    const isBegun = (now: string): boolean => now !== firstLogins;
    await eventually("the gateway has the new key", patienceMs, async () => loginsOf("gateway"), isBegun);
    await killProviders(project);
    assert.notEqual((await rolling).exitCode, 0);
    const begun = loginsOf("gateway");
    const output = await pulumi("stack", "output", "sshPrivateKey", "--show-secrets");
    assert.equal(
      output.stdout.trim(),
      (await secretsOf(cluster)).get("ssh-user-key")?.trim(),
      "commands have the new key",
    );
    await up();
    assert.deepEqual(nodes.map(loginsOf), Array(nodes.length).fill(begun), "the key that the rotation began with");
    assert.notEqual(clients(), firstClients);
    const second = await secretsOf(cluster);
    const changed = [...second.keys()].filter((name) => second.get(name) !== first.get(name)).sort();
    const ofEtcd = ["etcd-ca.key", "etcd-client.key", "former-etcd-authorities"];
    const ofMasters = ["encryption-key", "former-encryption-keys", "service-account.key"];
    assert.deepEqual(
      changed,
      [
        ...[
          "admin.key",
          ...ofEtcd,
          ...ofMasters,
          "former-ssh-user-keys",
          "former-ssh-host-seeds",
          "ssh-host-seed",
          "front-proxy-ca.key",
          "corosync-key",
          "ssh-user-key",
        ],
      ].sort(),
    );
    const authkeys = ["gateway", "balancer-1", "balancer-2"].map((node) =>
      fs.readFileSync(path.join(machines, node, "root/etc/corosync/authkey"), "utf8"),
    );
    assert.deepEqual([...new Set(authkeys)], [second.get("corosync-key")]);
    const delivered = path.join(machines, "master-1/root/var/lib/groundplane/new-keys");
    assert.equal(fs.readFileSync(path.join(delivered, "sa.key"), "utf8"), second.get("service-account.key"));
    const encryption = fs.readFileSync(path.join(delivered, "encryption-all.yaml"), "utf8");
    for (const values of [first, second]) assert.ok(encryption.includes(values.get("encryption-key") ?? "none"));
    assert.match(encryption, /"key2"[\s\S]*"key1"/);
    const state = (await pulumi("stack", "export")).stdout;
    assert.match(state, /::master-1-keys-only"/);
    assert.match(state, /::master-1-etcd-ca-reissue"/);
    assert.match(state, /::master-1-front-proxy-ca-withdraw"/);
    assert.doesNotMatch(state, /BEGIN (?:EC|OPENSSH) PRIVATE KEY/);
    for (const values of [first, second]) assert.ok(!state.includes(values.get("encryption-key") ?? "version"));
    const outputs = JSON.parse((await pulumi("stack", "output", "--json", "--show-secrets")).stdout);
    assert.equal(outputs.sshPrivateKey, second.get("ssh-user-key"));
    assert.deepEqual(outputs.formerSshKeys, [first.get("ssh-user-key")]);
    const seedOf = (values: ReadonlyMap<string, string>): string => values.get("ssh-host-seed") ?? "";
    const publicKeys = nodes.map((node) => deriveHostKey(seedOf(second), node).publicKey);
    assert.deepEqual(nodes.map(hostKeyOn), publicKeys);
    assert.deepEqual([...followedKeys()].sort(), [...publicKeys].sort(), "each node has presented its new key");
    for (const [index, node] of nodes.entries()) {
      const { hostKey, formerHostKeys } = outputs.inventory.find(({ name }: { name: string }) => name === node);
      assert.deepEqual([hostKey, formerHostKeys], [publicKeys[index], [deriveHostKey(seedOf(first), node).publicKey]]);
      assert.ok(outputs.knownHosts.includes(hostKey) && !outputs.knownHosts.includes(formerHostKeys[0]), node);
    }
    mustSucceed("no changes", await pulumi("preview", "--expect-no-changes"));
    fs.rmSync(followedFile);
    const { stdout } = mustSucceed("preview", await pulumi("preview"));
    for (const node of nodes)
      assert.match(stdout, new RegExp(`${node}-host-key +update`), "its key is confirmed again");
    assert.doesNotMatch(stdout, /-files +update/);
  });
});
