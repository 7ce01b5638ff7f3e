/**
 * The complete program on the real engine, with machines of the fake driver: a change of every key behaves as its class
 * declares, a renamed stack is refused, and a kept disk serves only as what it was.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { stringify } from "yaml";
import { dataFolder } from "../../host/data-folder";
import { parseConfiguration } from "../../stacks/config/parse-configuration";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { changedKeys, classedStack, merged } from "../support/changed-keys";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { copyProject } from "../support/project-copy";

const stack = "classed";

interface Machine {
  readonly generation: string;
  readonly power: string;
  readonly spec: {
    readonly cpus: number;
    readonly memoryMiB: number;
    readonly diskGiB: number;
    readonly shutdownSeconds?: number;
    readonly disks: readonly { readonly disk: string }[];
    readonly uplink?: {
      readonly forwards: readonly { readonly hostPort: number }[];
      readonly reachable?: readonly string[];
    };
  };
}
type Machines = Readonly<Record<string, Machine>>;

const worker = (machines: Machines) => machines["worker-1"]?.spec;
let machinesFolder = (): string => assert.fail("there is no stack yet");
const hasLine = (file: string, line: RegExp) => () =>
  line.test(fs.readFileSync(path.join(machinesFolder(), file), "utf8"));
const hostPortsOf = (machines: Machines): readonly number[] =>
  (machines.gateway?.spec.uplink?.forwards ?? []).map(({ hostPort }) => hostPort);

/** What is seen after an `up` with all changes at once. */
const seen: Readonly<Record<string, (now: Machines) => boolean>> = {
  "pools.balancers.count": (now) => now["balancer-2"]?.power === "running",
  "pools.masters.count": (now) => now["master-5"]?.power === "running",
  "pools.masters.roles[]": hasLine("master-1/root/etc/groundplane/node.env", /^VOLUME_MOUNT_POINT=/m),
  "pools.workers.count": (now) => now["worker-2"]?.power === "running",
  "pools.<pool>.cpus": (now) => worker(now)?.cpus === 3,
  "pools.<pool>.memoryMiB": (now) => worker(now)?.memoryMiB === 3072,
  "pools.<pool>.diskGiB": (now) => worker(now)?.diskGiB === 40,
  "pools.<pool>.volumes.<mount point>": hasLine("worker-1/root/etc/groundplane/volumes", /^\/var 12288$/m),
  "pools.<pool>.disks[].name": (now) =>
    worker(now)
      ?.disks.map(({ disk }) => disk)
      .join() === "worker-1-data,worker-1-more",
  "pools.<pool>.disks[].sizeGiB": hasLine("storage-1/root/etc/groundplane/data-disks", /brick 2$/m),
  "hostPorts.api": (now) => hostPortsOf(now).includes(20_001),
  "hostPorts.ssh": (now) => hostPortsOf(now).includes(20_002),
  "hostPorts.nodePorts[].port": (now) => hostPortsOf(now).includes(20_003),
  "hostPorts.nodePorts[].nodePort": hasLine("balancer-2/root/etc/nginx/nginx.conf", /listen [^;]*30080\b/),
  "options.podGraceSeconds": (now) => worker(now)?.shutdownSeconds === 120,
  "network.reachable[]": (now) => now.gateway?.spec.uplink?.reachable?.join() === "192.168.1.0/24",
  "network.flows[].from": hasLine("gateway/root/etc/nftables.conf", /saddr @worker .* 9100 /),
  "network.flows[].to": hasLine("gateway/root/etc/nftables.conf", /daddr @storage .* 9100 /),
  "network.flows[].protocol": hasLine("gateway/root/etc/nftables.conf", /udp dport { 9100 }/),
  "network.flows[].ports[]": hasLine("gateway/root/etc/nftables.conf", /dport { 9100 }/),
  "options.failover": hasLine("balancer-2/root/etc/keepalived/keepalived.conf", /advert_int 0\.6/),
  "options.failoverBy": hasLine("balancer-2/root/etc/groundplane/node.env", /^FLOATING_IP_BY="keepalived"$/m),
  "options.balancer": hasLine("balancer-2/root/etc/nginx/nginx.conf", /proxy_pass masters/),
  "options.podSecurity": hasLine(
    "master-1/root/etc/kubernetes/api-server/admission-configuration.yaml",
    /enforce: "restricted"/,
  ),
};

// A stack with machines for etcd is another one (external-etcd.test.ts), and a release is changed alone (upgrade.test.ts).
const rows = Object.entries(changedKeys).filter(([key]) => key !== "pools.etcd.count" && key !== "kubernetesVersion");
// What another stack begins with is in the way of others.
const refusals = rows.flatMap(([key, { to, refused, from, refusedBy }]) =>
  refused && !from ? [{ key, to, refused, refusedBy }] : [],
);
type Refusals = typeof refusals;

/**
 * Several changes at once, as far as they are a configuration and none hides another: each preview takes seconds. The contract
 * tests change every key without the engine, so that here one key for each part that refuses is enough.
 */
const refusedAtOnce: Refusals[] = [];
for (const refusal of refusals) {
  const { refusedBy } = refusal;
  if (refusedBy && refusals.find((other) => other.refusedBy === refusedBy) !== refusal) continue;
  const group = refusedAtOnce.find((others) => areTogether([...others, refusal]));
  if (group) group.push(refusal);
  else refusedAtOnce.push([refusal]);
}

function areTogether(changes: Refusals): boolean {
  const all = merged(...changes.map(({ to }) => to));
  // The program ends before the guard is asked, and the guard before machines and disks are.
  if (changes.length > 1 && changes.some(({ refusedBy }) => refusedBy)) return false;
  // The volume of fewer machines has another shape already.
  if (changes.filter(({ key }) => /storage/.test(key)).length > 1) return false;
  const isKept = changes.every(({ to }) => isDeepStrictEqual(merged(all, to), all));
  return isKept && parseConfiguration(merged(classedStack, all), { stack }).configuration !== undefined;
}
const applied = rows.filter(([key, { refused }]) => !refused && !key.startsWith("virtualbox."));
// The kept disks are needed afterwards.
const everything = merged(...applied.map(([, { to }]) => to), { options: { keepDataDisks: true } });

const start = merged({}, ...applied.map(([, { from = {} }]) => from));

/** The kept disks of storage machines have grown with them. */
const grown = changedKeys["pools.<pool>.disks[].sizeGiB"].to;

/** The engine indents messages and repeats them. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ");

test("classes of changes", { timeout: 30 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  after(() => project.remove());
  machinesFolder = () => path.join(project.data, "fake", stack, "machines");
  const configure = (change: object = {}, name = stack): void => {
    const place = project.stackFile(name);
    const salt = /^encryptionsalt: .*\n/m.exec(fs.existsSync(place) ? fs.readFileSync(place, "utf8") : "")?.[0] ?? "";
    fs.writeFileSync(place, salt + stringify({ config: { "groundplane:dataCenter": merged(classedStack, change) } }));
  };
  const pulumi = (...words: string[]) => cluster.pulumi(...words, "--non-interactive");
  const up = async (what: string) => mustSucceed(what, await pulumi("up", "--yes", "--skip-preview")).stdout;
  const machines = (): Machines =>
    Object.fromEntries(
      fs.readdirSync(machinesFolder()).map((name) => {
        const record = JSON.parse(fs.readFileSync(path.join(machinesFolder(), name, "machine.json"), "utf8"));
        return [name, { ...record.made, power: record.power }];
      }),
    );

  configure(start);
  mustSucceed("init", await pulumi("stack", "init"));
  await up("up");
  const before = machines();

  await t.test("creation-only: a preview refuses, names what differs, and nothing changes", async () => {
    for (const changes of refusedAtOnce) {
      configure(merged(...changes.map(({ to }) => to)));
      const { exitCode, stdout, stderr } = await pulumi("preview");
      for (const { key, refused } of changes) {
        assert.notEqual(exitCode, 0, key);
        assert.match(oneLine(stdout + stderr), refused, key);
      }
    }
    configure({ network: { podCidr: "10.99.0.0/16" } });
    const review = await cluster.groundplane("preview");
    assert.equal(review.exitCode, 1);
    assert.match(review.stdout, /\*\*Refused\*\*[\s\S]*- network\.podCidr: 10\.244\.0\.0\/16 cannot become/);
    assert.deepEqual(machines(), before);
  });

  await t.test("live and rolling: everything is applied, and every machine is the one that it was", async () => {
    configure(everything);
    const { stdout } = mustSucceed("preview", await cluster.groundplane("preview"));
    assert.match(stdout, /\| `options\.failover` \| fast -> calm \| rolling \|/);
    assert.match(stdout, /\| `pools\.workers\.cpus` \| 2 -> 3 \| live \|/);
    assert.match(stdout, /\| `worker-1` \| restarts \|/, "another data disk");
    await up("changes");
    const now = machines();
    for (const [key, isSeen] of Object.entries(seen)) assert.ok(isSeen(now), key);
    for (const [name, { generation, power }] of Object.entries(before)) {
      assert.equal(now[name]?.generation, generation, `${name} was not recreated`);
      assert.equal(now[name]?.power, power, name);
    }
    mustSucceed("no changes", await pulumi("preview", "--expect-no-changes"));
  });

  await t.test("a renamed stack is refused with the way back, and then has no changes", async () => {
    mustSucceed("rename", await pulumi("stack", "rename", "renamed"));
    const renamed = new ClusterUnderTest(project, "renamed");
    for (const words of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const { exitCode, stdout, stderr } = await renamed.pulumi(...words, "--non-interactive");
      assert.notEqual(exitCode, 0, stdout);
      assert.match(
        oneLine(stdout + stderr),
        /the stack classed was renamed to renamed, .* take its name back: `pulumi stack rename classed --stack renamed`/,
      );
    }
    mustSucceed("rename back", await renamed.pulumi("stack", "rename", stack, "--non-interactive"));
    const now = machines();
    // The refused `up` left its root component in the state, which is no object.
    assert.match(await up("after the way back"), /Resources: *\n *- 1 deleted\n/);
    assert.deepEqual(machines(), now);
    mustSucceed("no changes", await pulumi("preview", "--expect-no-changes"));
  });

  await t.test("a kept disk serves again as what it was, and as nothing else", async () => {
    mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    const { stdout } = await pulumi("stack", "export");
    assert.deepEqual(JSON.parse(stdout).deployment.resources ?? [], []);
    configure({ storage: { volume: "arbiter" } });
    for (const words of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const refused = await pulumi(...words);
      assert.notEqual(refused.exitCode, 0, refused.stdout);
      assert.match(
        oneLine(refused.stdout + refused.stderr),
        /disk storage-\d-brick is kept as brick \d of volume data of stack classed, one of three copies and cannot become/,
      );
    }
    // The refused up has recorded the other shape, but created no machine that has it.
    configure(grown);
    await up("the same shape again");
  });

  await t.test("data disks are deleted only if the last up and the file at the destroy say so", async () => {
    const disks = path.join(project.data, "fake", stack, "disks");
    const present = () => fs.readdirSync(disks).length;
    const keeping = (keepDataDisks: boolean) => merged(grown, { options: { keepDataDisks } });
    const before = present();
    configure(keeping(false));
    await up("keepDataDisks: false");
    configure(merged(keeping(false), { pools: { workers: { disks: [] } } }));
    const { stdout } = mustSucceed("preview", await cluster.groundplane("preview"));
    assert.match(stdout, /Risk: \*\*high\*\*/);
    assert.match(stdout, /\| high: the data of worker-1-data is deleted \|/);
    configure(keeping(true));
    mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    assert.equal(present(), before, "the file says that they are kept");
    configure(keeping(false));
    await up("over the kept disks");
    mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    assert.equal(present(), before - 4, "one of the worker, three of the storage machines");
  });
});
