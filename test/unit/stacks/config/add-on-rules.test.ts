import assert from "node:assert/strict";
import { test } from "node:test";
import { addOnNames } from "../../../../model/add-ons";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";
import { planDataCenter } from "../../../../stacks/plan/plan-data-center";

const all = Object.fromEntries(addOnNames.map((name) => [name, true]));
const single = {
  gateway: { roles: ["balancer", "master", "worker"], cpus: 2, memoryMiB: 2048, diskGiB: 20 },
  ...{ balancers: { count: 0 }, masters: { count: 0 }, workers: { count: 0 } },
};

const storage = { count: 1, disks: [{ name: "brick", sizeGiB: 10 }] };

/** With a volume, unless it is said otherwise. */
const parse = (written: { readonly pools?: object; readonly [key: string]: unknown }) =>
  parseConfiguration({ ...written, pools: { storage, ...written.pools } }, { stack: "apps" });
const problemsOf = (written: { readonly pools?: object; readonly [key: string]: unknown }): readonly string[] =>
  (parse(written).problems ?? []).map(({ path, rule }) => `${path} ${rule}`);

test("a stack has only the add-ons that its configuration names", () => {
  const plan = (addons: object) => {
    const { configuration } = parse({ addons });
    assert.ok(configuration);
    return planDataCenter(configuration);
  };
  assert.deepEqual(plan({}).addOns, []);
  assert.deepEqual(plan({ metallb: true, "metrics-server": false }).addOns, ["metallb"]);
  assert.deepEqual(plan(all).addOns, addOnNames, "in the order of the table");
  const settings = (addons: object) => Object.keys(plan(addons).settings).filter((key) => key.startsWith("addons"));
  assert.deepEqual(settings({ metallb: true }), ["addons.metallb"]);
  assert.deepEqual(settings({ metallb: false }), [], "the record of an earlier version has no entry either");
});

test("an add-on that a stack cannot have is refused, with the reason and a way out", () => {
  assert.deepEqual(problemsOf({ addons: all }), []);
  assert.match(problemsOf({ addons: { metallb: "yes" } }).join(), /addons\.metallb /);
  assert.match(problemsOf({ addons: { metalb: true } }).join(), /addons\.metalb/);
  const withoutWorkers = problemsOf({ addons: all, pools: { workers: { count: 0 } } });
  for (const name of addOnNames)
    assert.match(withoutWorkers.join("\n"), new RegExp(`addons\\.${name} .*without workers`));
  const onMasters = { workers: { count: 0 }, masters: { count: 3, roles: ["worker"] } };
  assert.deepEqual(problemsOf({ addons: all, pools: onMasters }), []);
  const withoutStorage = problemsOf({ addons: all, pools: { storage: { count: 0 } } });
  assert.match(withoutStorage.join("\n"), /^addons\.registry must be false in a stack without storage machines/);
  const docker = problemsOf({ addons: { "metrics-server": true }, options: { runtime: "docker" } });
  assert.match(docker.join("\n"), /^addons\.metrics-server must be false with runtime: docker/);
  assert.deepEqual(problemsOf({ addons: { "metrics-server": true }, pools: single }), []);
  assert.match(problemsOf({ addons: all, pools: single }).join("\n"), /addons\.metallb .*the gateway is a Node/);
});

test("the host's port of the registry needs the registry, and its NodePort is the registry's alone", () => {
  const [registry, entry] = [5000, { port: 8080, nodePort: 30_050 }];
  const { configuration } = parse({ addons: { registry: true }, hostPorts: { registry, nodePorts: [] } });
  assert.ok(configuration);
  const { hostPorts, flows } = planDataCenter(configuration);
  assert.deepEqual(hostPorts.nodePorts, [{ port: registry, nodePort: 30_050 }]);
  assert.ok(flows.some(({ ports }) => ports.includes(30_050)));
  assert.deepEqual(problemsOf({ hostPorts: { registry } }), ["hostPorts.registry needs a stack with a registry"]);
  const withPort = (others: object) => problemsOf({ addons: all, hostPorts: { registry, ...others } });
  assert.deepEqual(withPort({ nodePorts: [entry] }), [
    "hostPorts.nodePorts[0].nodePort must not be 30050, which the registry has",
  ]);
  assert.deepEqual(withPort({ nodePorts: [{ ...entry, nodePort: 30_080, port: registry }] }), [
    "hostPorts.nodePorts[0].port must differ from hostPorts.registry",
  ]);
  assert.deepEqual(withPort({ services: [{ port: 30_050, address: "192.168.62.1" }] }), [
    "hostPorts.services[0].port must not be 30050, which the registry has on the gateway's uplink",
  ]);
});

test("a host port leads to an address for Services, in a stack that has them", () => {
  const hostPorts = { services: [{ port: 8080, address: "192.168.62.1" }] };
  assert.deepEqual(problemsOf({ addons: all, hostPorts }), []);
  assert.match(problemsOf({ hostPorts }).join(), /^hostPorts\.services needs a stack whose Services have addresses$/);
  const wrong = { services: [...hostPorts.services, { port: 8080, address: "192.168.61.9" }] };
  assert.deepEqual(problemsOf({ addons: all, hostPorts: wrong }), [
    "hostPorts.services[1].port must differ from hostPorts.services[0].port",
    "hostPorts.services[1].address must be an address for Services: in 192.168.62.0/23",
  ]);
  const taken = [6443, 30_080].map((port) => ({ port, address: "192.168.62.1" }));
  const nodePorts = [{ port: 8080, nodePort: 30_080 }];
  assert.deepEqual(problemsOf({ addons: all, hostPorts: { nodePorts, services: taken } }), [
    "hostPorts.services[0].port must not be 6443, which the API has on the gateway's uplink",
    "hostPorts.services[1].port must not be 30080, which a NodePort has on the gateway's uplink",
  ]);
});

test("all problems of add-ons are reported at once, with those of other keys", () => {
  const found = problemsOf({ addons: all, pools: single, options: { runtime: "docker" }, hostPorts: { api: 80 } });
  assert.equal(found.length, 5, found.join("\n"));
});
