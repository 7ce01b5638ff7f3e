import assert from "node:assert/strict";
import { test } from "node:test";
import { renderSeeds } from "../../../cloud-init/render-node-seed";
import { changedSettings, settingsInFiles } from "../../../model/changed-settings";
import { refusedSettings } from "../../../model/refused-settings";
import { defaultKubernetesVersion, kubernetesVersions } from "../../../model/releases";
import { parseConfiguration } from "../../../stacks/config/parse-configuration";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { exampleSettings } from "../../support/example-stacks";

function planOf(change: object = {}) {
  const { configuration, problems } = parseConfiguration({ ...exampleSettings("lab"), ...change }, { stack: "lab" });
  assert.ok(configuration, JSON.stringify(problems));
  return planDataCenter(configuration);
}
const refusedKeys = (before: object, after: object): readonly string[] =>
  refusedSettings(planOf(before).settings, planOf(after).settings).map((text) => text.slice(0, text.indexOf(":")));
const changedKeys = (before: object, after: object): readonly string[] =>
  changedSettings(planOf(before).settings, planOf(after).settings).map(({ key }) => key);

test("a refused key that the stack did not have is to be removed", () => {
  const authority = { certificate: "./ca.crt", key: "./ca.key" };
  const [refusal = ""] = refusedSettings(planOf().settings, planOf({ secrets: { authority } }).settings);
  assert.match(
    refusal,
    /^secrets\.authority\.certificate: none cannot become .*\. Remove secrets\.authority\.certificate, or /,
  );
});

test("a refusal says what is fixed, why, and what can be done", () => {
  assert.deepEqual(refusedSettings(planOf().settings, planOf({ network: { podCidr: "10.99.0.0/16" } }).settings), [
    "network.podCidr: 10.244.0.0/16 cannot become 10.99.0.0/16: it is fixed when the stack is created. Each node has its " +
      "range for pods in it, and all pods have their addresses there. Set network.podCidr to 10.244.0.0/16 again, or start " +
      "over: `npx groundplane destroy` keeps the data disks",
  ]);
});

test("a release is refused that is older or skips a minor version, each with its reason and the way", () => {
  const refusalOf = (before: string, after: string): string =>
    refusedSettings({ kubernetesVersion: before }, { kubernetesVersion: after }).join();
  const cases = [
    ["1.9.3", "1.11.0", /from one minor version to the next, without skipping any/],
    ["1.9.3", "2.0.0", /without skipping any/],
    ["1.10.0", "1.9.9", /no downgrade: an older release cannot read/],
    ["1.9.9", "1.9.8", /no downgrade/],
  ] as const;
  for (const [before, after, refusal] of cases) {
    const refused = refusalOf(before, after);
    assert.match(refused, refusal);
    assert.ok(
      refused.startsWith(`kubernetesVersion: ${before} cannot become ${after}: a running stack moves to `),
      refused,
    );
    const way = `. Set kubernetesVersion to ${before} again, or create another stack with it`;
    assert.ok(refused.endsWith(way), refused);
  }
  for (const [before, after] of [
    ["1.2.3", "1.2.3"],
    ["1.2.3", "1.3.4"],
    ["1.2.3", "1.2.10"],
  ] as const)
    assert.equal(refusalOf(before, after), "");
  const [newest = "", next] = kubernetesVersions;
  assert.match(refusalOf(kubernetesVersions.at(-1) ?? "", newest), new RegExp(`the next one is ${next}\\.`));
});

test("a stack that is older than its record has its release in its files", () => {
  const files = (version: string) => settingsInFiles([`    kubernetesVersion: "v${version}"\n`]);
  const [before, after] = [{ kubernetesVersion: "1.3.0" }, { kubernetesVersion: "1.2.3" }];
  assert.deepEqual(refusedSettings(files("1.3.0"), files("1.2.3")), refusedSettings(before, after));
});

test("every fixed key is refused, and all at once", () => {
  const network = { podCidr: "10.99.0.0/16", serviceCidr: "10.100.0.0/16" };
  const after = { network, floatingIp: "192.168.56.77", distribution: "ubuntu" };
  const keys = ["distribution", "floatingIp", "network.podCidr", "network.serviceCidr"];
  assert.deepEqual([...refusedKeys({}, after)].sort(), keys);
});

test("a given authority is neither added, replaced nor removed, which is reported as one change", () => {
  const given = (certificate: string) => ({
    secrets: { authority: { certificate, key: certificate.replace("crt", "key") } },
  });
  for (const [before, after] of [
    [{}, given("./ca.crt")],
    [given("./ca.crt"), given("./other.crt")],
    [given("./ca.crt"), {}],
  ] as const)
    assert.deepEqual(refusedKeys(before, after), ["secrets.authority.certificate"]);
  assert.deepEqual(refusedKeys(given("./ca.crt"), given("./ca.crt")), []);
});

test("another range moves the floating IP with it, which is reported as one change", () => {
  assert.deepEqual(refusedKeys({}, { network: { cidr: "192.168.64.0/21" } }), ["network.cidr"]);
});

test("a default that is written out is no change", () => {
  const written = { floatingIp: planOf().balancing.floatingIp, network: { podCidr: "10.244.0.0/16" } };
  assert.deepEqual(changedKeys({}, written), []);
  assert.deepEqual(changedKeys({ driver: "auto" }, { driver: "nspawn" }), ["driver"]);
  assert.deepEqual(refusedKeys({ driver: "auto" }, { driver: "nspawn" }), [], "auto may have chosen it");
  assert.deepEqual(refusedKeys({ driver: "qemu" }, { driver: "nspawn" }), ["driver"]);
});

test("a value without effect may change: a volume without its machines, failover of a single balancer", () => {
  const { pools } = exampleSettings("lab") as { readonly pools: object };
  const single = { pools: { ...pools, balancers: { count: 1 } } };
  assert.deepEqual(changedKeys(single, { ...single, options: { failoverBy: "keepalived" } }), []);
  const without = { pools: { ...pools, storage: { count: 0, disks: [{ name: "brick", sizeGiB: 4 }] } } };
  assert.deepEqual(changedKeys(without, { ...without, storage: { volume: "arbiter" } }), []);
  assert.deepEqual(refusedKeys(without, {}), [], "a stack without storage may get it later");
});

test("a pair of balancers becomes a single one with either program", () => {
  const { pools } = exampleSettings("lab") as { readonly pools: object };
  const single = { pools: { ...pools, balancers: { count: 1 } } };
  const keepalived = { options: { failoverBy: "keepalived" } };
  for (const pair of [{}, keepalived]) assert.deepEqual(refusedKeys(single, pair), []);
  for (const pair of [{}, keepalived])
    for (const after of [single, { ...single, ...keepalived }]) assert.deepEqual(refusedKeys(pair, after), []);
  // Without a record of the configuration, the files of nodes say it.
  const inFiles = (value: string) => settingsInFiles([`FLOATING_IP_BY="${value}"\n`]);
  for (const mover of ["keepalived", "pacemaker"])
    assert.deepEqual(refusedSettings(inFiles(mover), inFiles("static")), []);
});

test("the first disk of storage machines keeps its name, others come and go", () => {
  const { pools } = exampleSettings("lab") as { readonly pools: object };
  const disks = (...names: string[]) => ({
    pools: { ...pools, storage: { count: 3, disks: names.map((name) => ({ name, sizeGiB: 4 })) } },
  });
  assert.deepEqual(refusedKeys({}, disks("data")), ["pools.storage.disks[0].name"]);
  assert.deepEqual(refusedKeys({}, disks("brick", "more")), []);
  assert.deepEqual(refusedKeys(disks("brick", "more"), disks("brick", "other")), []);
});

test("the files of a stack without a record show its fixed values", () => {
  const inFiles = (change: object = {}) =>
    settingsInFiles(renderSeeds(planOf(change)).flatMap(({ files }) => files.map(({ content }) => content)));
  assert.deepEqual(inFiles(), {
    "network.podCidr": "10.244.0.0/16",
    "network.serviceCidr": "10.96.0.0/16",
    floatingIp: planOf().balancing.floatingIp,
    kubernetesVersion: defaultKubernetesVersion,
    "options.failoverBy": "pacemaker",
  });
  const [refused] = refusedSettings(inFiles(), inFiles({ network: { serviceCidr: "10.98.0.0/16" } }));
  assert.match(String(refused), /^network\.serviceCidr: 10\.96\.0\.0\/16 cannot become 10\.98\.0\.0\/16: /);
});
