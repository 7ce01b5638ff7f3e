/**
 * The complete program on the real engine, with machines of the fake driver: a change of every key behaves as its class
 * declares, a renamed stack is refused, and a kept disk serves only as what it was.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { stringify } from "yaml";
import { dataFolder } from "../../host/data-folder";
import type { configurationChanges } from "../../model/configuration-changes";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { copyProject } from "../support/project-copy";

const stack = "classed";
const brick = { name: "brick", sizeGiB: 1 };
const base = {
  driver: "fake",
  pools: {
    balancers: { count: 2 },
    masters: { count: 3 },
    workers: { count: 1, disks: [{ name: "data", sizeGiB: 1 }] },
    storage: { count: 3, disks: [brick] },
  },
};

interface Machine {
  readonly generation: string;
  readonly power: string;
  readonly spec: {
    readonly cpus: number;
    readonly memoryMiB: number;
    readonly diskGiB: number;
    readonly disks: readonly { readonly disk: string }[];
    readonly uplink?: { readonly forwards: readonly { readonly hostPort: number }[] };
  };
}
type Machines = Readonly<Record<string, Machine>>;

/** A refusal that names the key with both values, or other words where machines are compared. */
interface Refused {
  readonly to: object;
  readonly says: RegExp;
}

/** What is seen after an `up` with all of these changes at once. */
interface Applied {
  readonly to: object;
  readonly seen: (now: Machines, before: Machines) => boolean;
}

const pools = (change: object) => ({ pools: { ...base.pools, ...change } });
const workers = { count: 2, cpus: 3, memoryMiB: 4096, diskGiB: 40, volumes: { "/var": 12 } };
const workerDisks = [
  { name: "data", sizeGiB: 2 },
  { name: "more", sizeGiB: 1 },
];
const worker = (machines: Machines) => machines["worker-1"]?.spec;
const file = (name: string, text: RegExp) => () =>
  text.test(fs.readFileSync(path.join(machinesFolder(), name), "utf8"));
let machinesFolder = (): string => assert.fail("there is no stack yet");
const anything = () => true;

/** One real change for every row of the table. */
const changes: Readonly<Record<keyof typeof configurationChanges, Refused | Applied | "elsewhere">> = {
  driver: { to: { driver: "nspawn" }, says: /classed exists on fake, but the configuration says nspawn/ },
  // There is one release, and one gateway: the schema refuses every other value.
  kubernetesVersion: { to: { kubernetesVersion: "1.0.0" }, says: /kubernetesVersion: "1\.0\.0"/ },
  "pools.gateway.count": { to: pools({ gateway: { count: 2 } }), says: /pools\.gateway\.count: 2/ },
  distribution: { to: { distribution: "ubuntu" }, says: /distribution: debian cannot become ubuntu/ },
  "pools.balancers.count": { to: pools({ balancers: { count: 1 } }), says: /a pair of balancers cannot be changed/ },
  "pools.storage.count": {
    to: pools({ storage: { count: 1, disks: [brick] } }),
    says: /there would be 1 storage machines for a volume of 3/,
  },
  "pools.storage.disks[0].name": {
    to: pools({ storage: { count: 3, disks: [{ name: "other", sizeGiB: 1 }] } }),
    says: /pools\.storage\.disks\[0\]\.name: brick cannot become other/,
  },
  "storage.volume": {
    to: { storage: { volume: "arbiter" } },
    says: /the volume is replica-3 and cannot become arbiter/,
  },
  "network.cidr": {
    to: { network: { cidr: "192.168.64.0/21" } },
    says: /network\.cidr: 192\.168\.56\.0\/21 cannot become 192\.168\.64\.0\/21/,
  },
  "network.podCidr": {
    to: { network: { podCidr: "10.99.0.0/16" } },
    says: /network\.podCidr: 10\.244\.0\.0\/16 cannot become 10\.99\.0\.0\/16.*start over/,
  },
  "network.serviceCidr": {
    to: { network: { serviceCidr: "10.100.0.0/16" } },
    says: /network\.serviceCidr: 10\.96\.0\.0\/16 cannot become 10\.100\.0\.0\/16/,
  },
  floatingIp: {
    to: { floatingIp: "192.168.56.9" },
    says: /floatingIp: 192\.168\.56\.\d+ cannot become 192\.168\.56\.9/,
  },
  "options.failoverBy": {
    to: { options: { failoverBy: "keepalived" } },
    says: /options\.failoverBy: pacemaker cannot become keepalived/,
  },
  "pools.masters.count": {
    to: pools({ masters: { count: 5 } }),
    seen: (now) => now["master-5"]?.power === "running",
  },
  "pools.workers.count": { to: pools({ workers }), seen: (now) => now["worker-2"]?.power === "running" },
  "pools.<pool>.cpus": { to: {}, seen: (now) => worker(now)?.cpus === 3 },
  "pools.<pool>.memoryMiB": { to: {}, seen: (now) => worker(now)?.memoryMiB === 4096 },
  "pools.<pool>.diskGiB": { to: {}, seen: (now) => worker(now)?.diskGiB === 40 },
  "pools.<pool>.volumes.<mount point>": {
    to: {},
    seen: file("worker-1/root/etc/groundplane/volumes", /^\/var 12288$/m),
  },
  "pools.<pool>.disks[].name": {
    to: pools({ workers: { ...workers, disks: workerDisks }, masters: { count: 5 } }),
    seen: (now) =>
      worker(now)
        ?.disks.map(({ disk }) => disk)
        .join() === "worker-1-data,worker-1-more",
  },
  "pools.<pool>.disks[].sizeGiB": { to: {}, seen: file("worker-1/root/etc/groundplane/data-disks", /data 2$/m) },
  "hostPorts.api": {
    to: { hostPorts: { api: 20_001, ssh: 20_002 } },
    seen: (now) => hostPortsOf(now).includes(20_001),
  },
  "hostPorts.ssh": { to: {}, seen: (now) => hostPortsOf(now).includes(20_002) },
  "options.failover": {
    to: {
      options: { failover: "calm", fastProbes: true, rebootstrap: true, protected: true, keepDataDisks: true },
    },
    seen: file("balancer-2/root/etc/corosync/corosync.conf", /token: 1000/),
  },
  "options.fastProbes": { to: {}, seen: anything },
  "options.rebootstrap": { to: {}, seen: anything },
  "options.protected": { to: {}, seen: anything },
  "options.keepDataDisks": { to: {}, seen: anything },
  // Only VirtualBox has attachments: test/virtualbox changes them while machines run.
  "virtualbox.attachments[].segment": "elsewhere",
  "virtualbox.attachments[].to": "elsewhere",
  "virtualbox.attachments[].adapter": "elsewhere",
};

const hostPortsOf = (machines: Machines): readonly number[] =>
  (machines.gateway?.spec.uplink?.forwards ?? []).map(({ hostPort }) => hostPort);
const refusals = Object.entries(changes).flatMap(([key, change]) =>
  change !== "elsewhere" && "says" in change ? [{ key, ...change }] : [],
);
const applied = Object.entries(changes).flatMap(([key, change]) =>
  change !== "elsewhere" && "seen" in change ? [{ key, ...change }] : [],
);
/** The engine indents messages and repeats them. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ");
/** Later changes of one key contain the earlier ones. */
const everything: object = Object.assign({}, ...applied.map(({ to }) => to));

test("classes of changes", { timeout: 15 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  after(() => project.remove());
  machinesFolder = () => path.join(project.data, "fake", stack, "machines");
  const configure = (change: object = {}, name = stack): void => {
    const place = project.stackFile(name);
    const salt = /^encryptionsalt: .*\n/m.exec(fs.existsSync(place) ? fs.readFileSync(place, "utf8") : "")?.[0] ?? "";
    fs.writeFileSync(place, salt + stringify({ config: { "groundplane:dataCenter": { ...base, ...change } } }));
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

  configure();
  mustSucceed("init", await pulumi("stack", "init"));
  await up("up");
  const before = machines();

  await t.test("creation-only: a preview refuses, names what differs, and nothing changes", async () => {
    for (const { key, to, says } of refusals) {
      configure(to);
      const { exitCode, stdout, stderr } = await pulumi("preview");
      assert.notEqual(exitCode, 0, key);
      assert.match(oneLine(stdout + stderr), says, key);
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
    for (const { key, seen } of applied) assert.ok(seen(now, before), key);
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
        /disk storage-3-brick is kept as brick 3 of volume data of stack classed, one of three copies and cannot become/,
      );
    }
    configure();
    await up("the same shape again");
    mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
  });
});
