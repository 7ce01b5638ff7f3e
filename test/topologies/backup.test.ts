/** A backup of real clusters: what was acknowledged before it is in it, and it changes nothing. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import * as tar from "tar-stream";
import type { BackupManifest } from "../../backup/write-backup";
import { guestPaths } from "../../model/guest-paths";
import { etcdctl, kubectl, supportFile } from "../e2e/lab-under-test";
import { type SmallStack, smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";

const OBJECTS = 300;
const SECRET = "plain-text-of-the-secret";

interface Opened {
  readonly manifest: BackupManifest;
  readonly files: Readonly<Record<string, Buffer>>;
}

function backupsOf(stack: SmallStack) {
  const file = path.join(stack.project.data, "one.backup.age");
  const on = async (node: string, command: string) =>
    mustSucceed(command, await stack.cluster.onNode(node, command)).stdout.trim();
  const writeObjects = async (master: string): Promise<void> => {
    const names = Array.from({ length: OBJECTS }, (_, index) => `written-${index}`);
    const items = names.map((name) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { name } }));
    const text = Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "List", items })).toString("base64");
    await on(master, `echo ${text} | base64 -d | ${kubectl} create -f - >/dev/null`);
    await on(master, `${kubectl} create secret generic sealed --from-literal=value=${SECRET}`);
  };
  /** `backup` for a new key, and what is in the file. */
  const open = async (t: TestContext): Promise<Opened> => {
    const identity = await generateX25519Identity();
    const started = performance.now();
    const recipient = await identityToRecipient(identity);
    const { stderr } = mustSucceed("backup", await stack.cluster.groundplane("backup", file, "--recipient", recipient));
    t.diagnostic(`${stderr.trim().split("\n").at(-1)}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const archive = tar.extract();
    archive.end(Buffer.from(await decrypter.decrypt(fs.readFileSync(file))));
    const files: Record<string, Buffer> = {};
    for await (const entry of archive) files[entry.header.name] = await buffer(entry);
    return { manifest: JSON.parse(String(files["backup.json"])) as BackupManifest, files };
  };
  const isComplete = ({ manifest, files }: Opened): void => {
    const database = files["etcd.db"] ?? assert.fail("no snapshot");
    assert.equal(database.length, manifest.etcd.size);
    const digest = createHash("sha256").update(database.subarray(0, -32)).digest("hex");
    assert.equal(digest, manifest.etcd.sha256);
    assert.equal(database.subarray(-32).toString("hex"), digest);
    for (let index = 0; index < OBJECTS; index++) {
      const key = `/registry/configmaps/default/written-${index}`;
      assert.ok(database.includes(key), key);
    }
    // Readable only with the key that is beside it.
    assert.ok(database.includes("/registry/secrets/default/sealed"));
    assert.ok(!database.includes(SECRET));
    const keys = JSON.parse(String(files["keys.json"])) as Record<string, string>;
    assert.equal(Buffer.from(keys["encryption-key"] ?? "", "base64").length, 32);
  };
  const nothingRemains = async (member: string): Promise<void> => {
    assert.equal(await on(member, `ls -d ${guestPaths.etcdSnapshot} 2>/dev/null || echo none`), "none");
  };
  const revision = async (member: string): Promise<number> => {
    const [state] = JSON.parse(await on(member, etcdctl("endpoint status --write-out=json"))) as [
      { readonly Status: { readonly header: { readonly revision: number } } },
    ];
    return state.Status.header.revision;
  };
  return { file, on, writeObjects, open, isComplete, nothingRemains, revision };
}

test("a backup of three masters", { skip: nspawnSkipReason(), timeout: 15 * 60_000 }, async (t) => {
  const stack = smallStack("bak");
  const { cluster, driver } = stack;
  const backups = backupsOf(stack);
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);

  await step("start creates the stack, and objects are written", async () => {
    stack.configure(`driver: nspawn
pools: {balancers: {count: 1}, masters: {count: 3}, workers: {count: 1}}
options: {fastProbes: true, keepDataDisks: false}
`);
    await stack.start();
    await backups.writeObjects("master-1");
  });

  await step("everything that was acknowledged is in the backup, and the node keeps nothing of it", async (inner) => {
    const before = await backups.revision("master-2");
    const opened = await backups.open(inner);
    backups.isComplete(opened);
    const { etcd, stack: name } = opened.manifest;
    assert.ok(etcd.revision >= before, `${etcd.revision} is not before ${before}`);
    assert.deepEqual(
      [name, etcd.member, etcd.members],
      [cluster.stack, "master-1", ["master-1", "master-2", "master-3"]],
    );
    await backups.nothingRemains("master-1");
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step(
    "a lost member is passed over; without a majority the command refuses and keeps the earlier file",
    async (inner) => {
      const kill = async (name: string) => driver.hardKill?.hardKill({ stack: cluster.stack, name });
      await kill("master-1");
      assert.equal((await backups.open(inner)).manifest.etcd.member, "master-2");
      await kill("master-2");
      const former = fs.readFileSync(backups.file);
      const recipient = await identityToRecipient(await generateX25519Identity());
      const { exitCode, stderr } = await cluster.groundplane("backup", backups.file, "--recipient", recipient);
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /no member of etcd could take a snapshot: master-1: .*; master-3: /s);
      assert.match(stderr, /next step: see `npx groundplane status --stack /);
      assert.deepEqual(fs.readFileSync(backups.file), former);
      await backups.nothingRemains("master-3");
    },
  );
});

/** Of each pod, which pod and which container it is. */
const PODS = "{.items[*].metadata.uid} {.items[*].status.containerStatuses[0].containerID}";

/** The keys of all objects in etcd, except for those that live for minutes. */
async function objectsIn(on: (node: string, command: string) => Promise<string>): Promise<readonly string[]> {
  const keys = (await on("master-1", etcdctl("get /registry/ --prefix --keys-only"))).split("\n").filter(Boolean);
  return keys.filter((key) => !/^\/registry\/(?:events|leases|masterleases|certificatesigningrequests)\//.test(key));
}

const BACKUP = /^bakv-\S+-\d{8}T\d{6}Z\.backup$/;

test("masters take backups by themselves on the volume", {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
}, async (t) => {
  const stack = smallStack("bakv");
  const { cluster, driver } = stack;
  const { on, writeObjects } = backupsOf(stack);
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const masters = ["master-1", "master-2", "master-3"];
  const pools = `pools:
  balancers: {count: 1}
  masters: {count: 3}
  workers: {count: 1}
  storage: {count: 1, disks: [{name: brick, sizeGiB: 1}]}
options: {fastProbes: true, keepDataDisks: false}
`;
  const copy = "/data/brick/volume/groundplane-backups";
  const stored = async () =>
    (await on("storage-1", `ls ${copy} 2>/dev/null || true`)).split("\n").filter((name) => BACKUP.test(name));
  const rowOf = async () => {
    const { stdout } = await cluster.groundplane("status", "--json");
    const { checks } = JSON.parse(stdout) as { checks: readonly { check: string; state: string; summary: string }[] };
    return checks.find(({ check }) => check === "backups") ?? assert.fail("no row of backups");
  };

  await step("a running stack gets the key, without a restart, and takes its first backup", async (inner) => {
    stack.configure(`driver: nspawn\n${pools}`);
    await stack.start();
    await writeObjects("master-1");
    assert.equal((await rowOf()).state, "inapplicable");
    const started = await on("master-1", "cat /proc/1/stat | cut -d ' ' -f 22");
    stack.configure(`driver: nspawn\n${pools}backups: {every: 5m, keep: 2}\n`);
    await stack.start();
    assert.equal(await on("master-1", "cat /proc/1/stat | cut -d ' ' -f 22"), started);
    const names = await eventually("a backup", patienceMs, stored, ({ length }) => length > 0);
    inner.diagnostic(names.join(" "));
    await eventually("all masters see it", patienceMs, rowOf, ({ summary }) =>
      masters.every((name) => summary.includes(`${name}: 2`)),
    );
    assert.equal((await rowOf()).state, "healthy");
    assert.equal((await stored()).length, 1, "one master takes each backup");
    assert.equal(await on("storage-1", `stat -c %a ${copy} ${copy}/*.backup | sort -u | tr '\\n' ' '`), "600 700");
    assert.equal(
      await on("worker-1", `grep -c written-1 /var/lib/groundplane/volumes/data/groundplane-backups/*.backup || true`),
      "0",
    );
    assert.equal(await on("master-1", "grep -c glusterfs /proc/self/mounts || true"), "0");
    await stack.previewsNoChange();
  });

  await step("the newest are kept, and only one machine at a time writes", async () => {
    // The mount of a backup is in a namespace of its own, as in the service.
    const now = "unshare --mount /usr/local/lib/groundplane/take-backup now";
    await on("master-2", `for each in 1 2 3; do ${now}; sleep 1; done`);
    assert.equal((await stored()).length, 2);
    const lock = "/var/lib/groundplane/volumes/data/groundplane-backups/.lock";
    await on("worker-1", `systemd-run --quiet flock ${lock} sleep 10`);
    const before = await stored();
    await on("master-3", `sleep 1; ${now}`);
    assert.deepEqual(await stored(), before, "another machine has the lock");
  });

  await step(
    "all masters are lost with their disks, and a backup of the volume brings the cluster back",
    async (inner) => {
      const [claim, writer] = supportFile("shared-claim.yaml").split("---\n");
      const text = Buffer.from(`${claim}---\n${writer}`).toString("base64");
      await on("master-1", `echo ${text} | base64 -d | ${kubectl} apply -f - >/dev/null`);
      await on("master-1", `${kubectl} rollout status deployment --timeout=180s`);
      const inPod = (command: string) => on("master-1", `${kubectl} exec deployment/writer-1 -- sh -c '${command}'`);
      await inPod("echo written >/shared/file");
      const pods = () => on("master-1", `${kubectl} get pods --output jsonpath='${PODS}'`);
      const generations = async () =>
        Promise.all(
          ["gateway", "balancer-1", "worker-1", "storage-1"].map(
            async (name) => (await driver.inspectMachine({ stack: cluster.stack, name }))?.generation,
          ),
        );
      const [podsBefore, machinesBefore] = [await pods(), await generations()];
      const objects = await objectsIn(on);
      await on("master-1", "unshare --mount /usr/local/lib/groundplane/take-backup now");
      const { stdout } = mustSucceed("list", await cluster.groundplane("backup", "list", "--json"));
      const newest = (JSON.parse(stdout) as { name: string }[]).at(-1)?.name ?? assert.fail("no backup");
      await on("master-1", `${kubectl} create configmap later --from-literal=value=after`);
      await inPod("echo after >/shared/later");

      const machines = (await driver.listObjects(cluster.stack)).filter(({ kind }) => kind === "machine");
      for (const { name, owner } of machines.filter((each) => masters.includes(each.name))) {
        await driver.hardKill?.hardKill({ stack: cluster.stack, name });
        await driver.removeMachine({ stack: cluster.stack, name }, owner ?? assert.fail(name));
      }
      const started = performance.now();
      const file = path.join(stack.project.data, newest);
      mustSucceed("fetch", await cluster.groundplane("backup", "fetch", newest, file));
      const fetched = ((performance.now() - started) / 1000).toFixed(1);
      const restored = mustSucceed("restore", await cluster.groundplane("restore", file, "--yes"));
      inner.diagnostic(`fetched after ${fetched} s; ${restored.stdout.trim().split("\n").at(-1)}`);
      await stack.isHealthy();
      inner.diagnostic(`healthy ${((performance.now() - started) / 1000).toFixed(1)} s after the loss`);

      const found = new Set(await objectsIn(on));
      assert.deepEqual(
        objects.filter((key) => !found.has(key)),
        [],
        "objects of the snapshot are missing",
      );
      assert.ok(objects.length > OBJECTS && !found.has("/registry/configmaps/default/later"));
      assert.deepEqual(await generations(), machinesBefore);
      assert.equal(await pods(), podsBefore);
      assert.equal(
        await inPod("cat /shared/file /shared/later"),
        "written\nafter",
        "the volume has what was written since",
      );
      await stack.previewsNoChange();
      // The restored masters take the next one.
      await on("master-2", "unshare --mount /usr/local/lib/groundplane/take-backup now");
      assert.ok(!(await stored()).every((name) => name <= newest), "a newer backup");
    },
  );
});

test("a backup of an etcd machine, with a control plane of services", {
  skip: nspawnSkipReason(),
  timeout: 15 * 60_000,
}, async (t) => {
  const stack = smallStack("bakx");
  const backups = backupsOf(stack);
  await stack.step(t, "the etcd machine takes the snapshot", async (inner) => {
    stack.configure(`driver: nspawn
pools: {balancers: {count: 1}, masters: {count: 1}, etcd: {count: 1}, workers: {count: 1}}
options: {controlPlane: services, fastProbes: true, keepDataDisks: false}
`);
    await stack.start();
    await backups.writeObjects("master-1");
    const opened = await backups.open(inner);
    backups.isComplete(opened);
    assert.deepEqual(opened.manifest.etcd.members, ["etcd-1"]);
    await backups.nothingRemains("etcd-1");
    await stack.previewsNoChange();
  });
  await stack.step(t, "its master takes backups over the network, in its own folder", async () => {
    const { on } = backups;
    stack.configure(`driver: nspawn
pools: {balancers: {count: 1}, masters: {count: 1}, etcd: {count: 1}, workers: {count: 1}}
backups: {every: 5m}
options: {controlPlane: services, fastProbes: true, keepDataDisks: false}
`);
    await stack.start();
    const list = () => on("master-1", "ls /var/lib/groundplane/backups/*.backup 2>/dev/null || true");
    await eventually("a backup", patienceMs, list, (names) => names !== "");
    const file = path.join(stack.project.data, "fetched.backup");
    mustSucceed("fetch", await stack.cluster.groundplane("backup", "fetch", path.basename(await list()), file));
    mustSucceed("restore", await stack.cluster.groundplane("restore", file, "--replace", "--yes"));
    await stack.isHealthy();
  });
});
