import assert from "node:assert/strict";
import { test } from "node:test";
import { deriveHostKey } from "../../../model/derive-host-key";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { examplePlan } from "../../support/example-plans";
import { exampleConfiguration } from "../../support/example-stacks";
import { recordDataCenter, resourceOf, sampleSecret, secretOf } from "../../support/recorded-graph";

const filesType = "groundplane:index:NodeFiles";
const lab = examplePlan("lab");

test("masters accept a rotated administrator's certificate before anything uses it, and then end the former one", async () => {
  const rotated = planDataCenter({ ...exampleConfiguration("lab"), secrets: { rotate: { administrator: 1 } } });
  const graph = await recordDataCenter(rotated);
  const before = (type: string, name: string, pattern: RegExp) =>
    resourceOf(graph, `groundplane:index:${type}`, name).dependencies.filter((other) => pattern.test(other));
  const tasks = /-administrator$/;
  assert.deepEqual(before("NodeTask", "master-1-administrator", tasks), []);
  assert.deepEqual(before("NodeTask", "master-3-administrator", tasks), ["master-2-administrator"]);
  const trusted = ["master-1-administrator", "master-2-administrator", "master-3-administrator"];
  assert.deepEqual(before("ClusterObjects", "cluster-objects", tasks), trusted);
  assert.deepEqual(before("NodeFiles", "master-1-files", tasks), ["master-3-administrator"]);
  const { command } = resourceOf(graph, "groundplane:index:NodeTask", "master-1-administrator").inputs;
  assert.equal(Buffer.from((command as readonly string[])[1] ?? "", "base64").toString(), sampleSecret("admin.crt"));
  assert.deepEqual(resourceOf(graph, "groundplane:index:ClusterSecrets", "secrets-cluster").inputs.rotations, {
    administrator: 1,
  });
  assert.ok(!(await recordDataCenter(lab)).some(({ name }) => tasks.test(name)), "without a rotation there is none");
});

test("keys that masters share go through their stages, each on all masters before the next", async () => {
  const rotate = { "encryption-key": 1, "service-account-key": 2 };
  const graph = await recordDataCenter(planDataCenter({ ...exampleConfiguration("lab"), secrets: { rotate } }));
  const before = (type: string, name: string) => resourceOf(graph, `groundplane:index:${type}`, name).dependencies;
  const after = (name: string, ...others: readonly string[]) => {
    for (const other of others) assert.ok(before("NodeTask", name).includes(other), `${other} before ${name}`);
  };
  after("master-2-keys-accept", "master-1-keys-accept");
  for (const name of ["master-1", "master-3"])
    assert.ok(
      before("Membership", `${name}-membership`).includes("master-3-keys-accept"),
      "others accept it before it joins",
    );
  after("master-1-keys-use", "master-3-keys-accept", "master-3-membership");
  after("master-3-keys-use", "master-2-keys-use");
  for (const renewal of ["keys-secrets", "master-1-tokens", "worker-2-tokens"]) {
    after(renewal, "master-3-keys-use");
    after("master-1-keys-only", renewal);
  }
  after("master-2-keys-only", "master-1-keys-only");
  assert.ok(before("NodeFiles", "master-1-files").includes("master-3-keys-only"), "not two API servers at a time");
  const { command, files, triggers } = resourceOf(graph, "groundplane:index:NodeTask", "master-2-keys-only").inputs;
  assert.deepEqual(command, [
    ...["/usr/local/lib/groundplane/follow-keys", "only", "master-1", "master-2", "master-3"],
  ]);
  assert.equal((triggers as readonly string[]).length, 1, "a new machine has the former keys again");
  const [script, ...keys] = files as readonly { path: string; mode: string; content: string }[];
  assert.deepEqual([script?.path, script?.mode], ["/usr/local/lib/groundplane/follow-keys", "0755"]);
  assert.deepEqual(
    keys.map(({ path, mode }) => `${mode} ${path}`),
    ["encryption-all.yaml", "encryption-only.yaml", "sa.key", "sa.pub"].map(
      (name) => `0600 /var/lib/groundplane/new-keys/${name}`,
    ),
  );
  const ofWorker = resourceOf(graph, "groundplane:index:NodeTask", "worker-1-tokens").inputs.files as readonly object[];
  assert.equal(ofWorker.length, 2, "a worker gets no private key");
});

test("tokens are renewed only when their key is rotated", async () => {
  const rotate = { "encryption-key": 1 };
  const graph = await recordDataCenter(planDataCenter({ ...exampleConfiguration("lab"), secrets: { rotate } }));
  const tasks = graph.filter(({ type }) => type === "groundplane:index:NodeTask").map(({ name }) => name);
  assert.deepEqual(
    tasks.filter((name) => /tokens/.test(name)),
    [],
  );
  assert.ok(tasks.includes("keys-secrets"));
  const names = (await recordDataCenter(lab)).map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => /-keys-|keys-secrets|-tokens$/.test(name)),
    [],
  );
});

test("a running node follows the keys that may log in and the clients that its API server accepts", async () => {
  const graph = await recordDataCenter(lab);
  const filesOf = (node: string) => {
    const { files } = resourceOf(graph, filesType, `${node}-files`).inputs;
    return new Map((files as { path: string; content: string }[]).map(({ path, content }) => [path, content]));
  };
  for (const { name } of lab.nodes)
    assert.equal(filesOf(name).get("/root/.ssh/authorized_keys"), `${sampleSecret("ssh-user-key.pub")} groundplane\n`);
  const clients = filesOf("master-2").get("/etc/kubernetes/api-server/clients.crt");
  assert.equal(clients, sampleSecret("kubernetes-ca.crt") + sampleSecret("admin.crt"));
});

test("every member of etcd ends a stage before the first begins the next, after its files and before any image", async () => {
  const rotated = planDataCenter({ ...exampleConfiguration("pair"), secrets: { rotate: { "etcd-ca": 1 } } });
  const graph = await recordDataCenter(rotated);
  const names = ["trust", "reissue", "drop"].flatMap((stage) =>
    ["gateway", "master-1", "master-2"].map((node) => `${node}-etcd-ca-${stage}`),
  );
  const tasks = graph.filter(({ name }) => names.includes(name));
  assert.deepEqual(
    tasks.map(({ name }) => name),
    names,
  );
  for (const [index, { dependencies, inputs }] of tasks.entries()) {
    assert.deepEqual(
      dependencies.filter((name) => names.includes(name)),
      index === 0 ? [] : [names[index - 1]],
    );
    for (const before of ["master-2-files", "master-2-membership", "gateway-membership"])
      assert.ok(dependencies.includes(before), before);
    const [program, stage, authority = ""] = inputs.command as readonly string[];
    assert.match(`${program} ${stage}`, /etcd-authority (?:trust|reissue|drop)$/);
    assert.equal(Buffer.from(authority, "base64").toString(), sampleSecret("etcd-ca.crt"));
    assert.deepEqual(inputs.stdin, stage === "reissue" ? secretOf(sampleSecret("etcd-ca.key")) : undefined);
    assert.deepEqual(inputs.triggers, [`generation of ${inputs.node}`]);
  }
  const image = resourceOf(graph, "groundplane:index:NodeImage", "gateway-image");
  assert.ok(image.dependencies.includes(names.at(-1) ?? ""), "images come last");
});

test("the authority of front proxies follows that of etcd, on masters only, and leaves the cluster at the end", async () => {
  const rotate = { "etcd-ca": 1, "front-proxy-ca": 1 };
  const graph = await recordDataCenter(planDataCenter({ ...exampleConfiguration("pair"), secrets: { rotate } }));
  const names = ["trust", "reissue", "drop"].flatMap((stage) =>
    ["master-1", "master-2"].map((node) => `${node}-front-proxy-ca-${stage}`),
  );
  const tasks = graph.filter(({ name }) => name.includes("-front-proxy-ca-"));
  assert.deepEqual(
    tasks.map(({ name }) => name),
    [...names, "master-1-front-proxy-ca-withdraw"],
  );
  for (const [index, { dependencies, inputs }] of tasks.entries()) {
    assert.ok(dependencies.includes(tasks[index - 1]?.name ?? "master-2-etcd-ca-drop"), "in turn");
    const [program, , authority = ""] = inputs.command as readonly string[];
    assert.match(program ?? "", /front-proxy-authority$/);
    assert.equal(Buffer.from(authority, "base64").toString(), sampleSecret("front-proxy-ca.crt"));
  }
  const [withdraw = assert.fail("no task")] = tasks.slice(-1);
  assert.deepEqual(withdraw.inputs.triggers, ["generation of master-1", "generation of master-2"]);
  const seeds = graph.filter(({ type }) => type === "groundplane:index:NodeFiles");
  const having = seeds.filter(({ inputs }) => JSON.stringify(inputs).includes("front-proxy-authority"));
  assert.deepEqual(
    having.map(({ name }) => name),
    ["master-1-files", "master-2-files"],
  );
});

test("the cluster's authority goes through its stages on masters, and on all nodes and balancers between them", async () => {
  const rotate = { "front-proxy-ca": 1, "kubernetes-ca": 1 };
  const graph = await recordDataCenter(planDataCenter({ ...exampleConfiguration("lab"), secrets: { rotate } }));
  const tasks = graph.filter(({ name }) => name.includes("-kubernetes-ca-"));
  const masters = ["master-1", "master-2", "master-3"];
  const others = ["balancer-1", "balancer-2", "worker-1", "worker-2"];
  const namesOf = (stage: string, nodes: readonly string[]) => nodes.map((node) => `${node}-kubernetes-ca-${stage}`);
  const following = namesOf("follow", [...others, ...masters]).sort();
  const [trust, reissue, drop] = [namesOf("trust", masters), namesOf("reissue", masters), namesOf("drop", masters)];
  const all = [...trust, ...reissue, ...following, ...drop, "master-1-kubernetes-ca-withdraw"];
  assert.deepEqual(tasks.map(({ name }) => name).sort(), [...all].sort());
  const taskOf = (name: string) => tasks.find((task) => task.name === name) ?? assert.fail(name);
  const before = (name: string) => taskOf(name).dependencies;
  for (const needed of ["master-1-front-proxy-ca-withdraw", "worker-2-membership", "master-3-files", "cluster-objects"])
    assert.ok(before("master-1-kubernetes-ca-trust").includes(needed), needed);
  assert.ok(before("master-1-kubernetes-ca-reissue").includes("master-3-kubernetes-ca-trust"));
  for (const name of following) {
    assert.ok(before(name).includes("master-3-kubernetes-ca-reissue"), name);
    assert.ok(before("master-1-kubernetes-ca-drop").includes(name), name);
    const { command, files } = taskOf(name).inputs as { command: string[]; files: { path: string }[] };
    assert.equal(command.length, 2);
    assert.deepEqual([files.length, files[0]?.path], [1, command[0]]);
  }
  assert.deepEqual(taskOf("master-2-kubernetes-ca-reissue").inputs.stdin, secretOf(sampleSecret("kubernetes-ca.key")));
  const wordsOf = (name: string) => (taskOf(name).inputs.command as readonly string[]).slice(3);
  const [administrator = ""] = wordsOf("master-2-kubernetes-ca-drop");
  assert.equal(Buffer.from(administrator, "base64").toString(), sampleSecret("admin.crt"));
  const workloads = wordsOf("master-1-kubernetes-ca-withdraw");
  for (const workload of ["kube-system/daemonset/kube-proxy", "kube-system/deployment/coredns"])
    assert.ok(workloads.includes(workload), workloads.join());
  assert.ok(before("master-1-kubernetes-ca-withdraw").includes("master-3-kubernetes-ca-drop"));
  assert.ok(resourceOf(graph, "groundplane:index:NodeImage", "gateway-image").dependencies.includes(all.at(-1) ?? ""));
  for (const [node, path] of Object.entries({
    "master-1": "/etc/kubernetes/api-server/clients.crt",
    "balancer-1": "/etc/haproxy/cluster-ca.crt",
  }))
    assert.ok(!JSON.stringify(resourceOf(graph, filesType, `${node}-files`).inputs).includes(`"${path}"`), path);
});

test("in a cluster whose authority was replaced, nodes join after it offers the new one, and then trust the new one only", async () => {
  const settings = { ...exampleConfiguration("lab"), secrets: { rotate: { "kubernetes-ca": 1 } } };
  const graph = await recordDataCenter(planDataCenter(settings));
  const members = graph.filter(({ type }) => type === "groundplane:index:Membership");
  assert.equal(members.length, 5);
  for (const { name, dependencies } of members) assert.ok(dependencies.includes("cluster-objects"), name);
  const joined = (recorded: typeof graph, node: string) =>
    resourceOf(recorded, "groundplane:index:NodeImage", `${node}-image`).inputs.afterJoin as
      | { command: string[]; files: { path: string }[] }
      | undefined;
  for (const node of ["master-2", "worker-1"]) {
    const { command: [program, authority = ""] = [], files = [] } = joined(graph, node) ?? {};
    assert.match(program ?? "", /\/follow-authority$/);
    assert.equal(Buffer.from(authority, "base64").toString(), sampleSecret("kubernetes-ca.crt"));
    assert.deepEqual(
      files.map(({ path }) => path),
      [program],
    );
  }
  assert.equal(joined(graph, "balancer-1"), undefined);
  const before = await recordDataCenter(lab);
  assert.equal(joined(before, "worker-1"), undefined);
  const { dependencies } = resourceOf(before, "groundplane:index:Membership", "worker-1-membership");
  assert.ok(!dependencies.includes("cluster-objects"), "without a rotation, nodes join at once");
});

test("all members of Corosync have the new key before one of them makes all use it, and no files wait for it", async () => {
  const rotate = { "corosync-key": 2 };
  const graph = await recordDataCenter(planDataCenter({ ...exampleConfiguration("lab"), secrets: { rotate } }));
  const members = ["balancer-1", "balancer-2", "gateway"];
  for (const name of members) {
    const { inputs, dependencies } = resourceOf(graph, "groundplane:index:NodeTask", `${name}-corosync-key`);
    const [key] = inputs.files as readonly { path: string; mode: string }[];
    assert.deepEqual([key?.path, key?.mode, inputs.node], ["/etc/corosync/authkey", "0400", name]);
    assert.deepEqual(inputs.triggers, [`generation of ${name}`]);
    assert.ok(!dependencies.includes("gateway-files"), "they may wait for a quorum");
  }
  const use = resourceOf(graph, "groundplane:index:NodeTask", "gateway-corosync-key-use");
  assert.deepEqual(use.inputs.command, ["/usr/local/lib/groundplane/follow-corosync-key", "3"]);
  assert.equal((use.inputs.triggers as readonly string[])[0], "2", "each rotation is one more reload");
  for (const name of members) assert.ok(use.dependencies.includes(`${name}-corosync-key`), name);
  const files = resourceOf(graph, filesType, "balancer-1-files");
  assert.ok(!files.dependencies.some((name) => /corosync-key/.test(name)), "they may start Corosync");
});

test("where Corosync does not run, its key is replaced in the state only", async () => {
  const { options, ...others } = exampleConfiguration("lab");
  const configuration = { ...others, options: { ...options, failoverBy: "keepalived" as const } };
  const graph = await recordDataCenter(
    planDataCenter({ ...configuration, secrets: { rotate: { "corosync-key": 1 } } }),
  );
  assert.ok(!graph.some(({ name }) => name.includes("corosync-key")));
});

test("without a rotation, no node has anything of it", async () => {
  const graph = await recordDataCenter(examplePlan("pair"));
  assert.ok(!graph.some(({ name }) => /(?:etcd|front-proxy|kubernetes)-ca|corosync-key/.test(name)));
  for (const part of ["/etc/groundplane/etcd-members", "former-authorities.pem", "groundplane/authority-stages"])
    assert.ok(!JSON.stringify(graph).includes(part), part);
});

test("nodes get their new host keys with their files, and then have to present them, the gateway first", async () => {
  const rotate = { "ssh-host-keys": 1 };
  const graph = await recordDataCenter(planDataCenter({ ...exampleConfiguration("lab"), secrets: { rotate } }));
  for (const { name } of lab.nodes) {
    const { privateKey, publicKey } = deriveHostKey(sampleSecret("ssh-host-seed"), name);
    const { files } = resourceOf(graph, filesType, `${name}-files`).inputs as { files: { path: string }[] };
    assert.deepEqual(
      files.find(({ path }) => path === "/etc/groundplane/ssh-host-key.pub"),
      {
        ...{ path: "/etc/groundplane/ssh-host-key.pub", mode: "0644", content: publicKey },
        reload: "systemctl try-reload-or-restart ssh",
        alongside: [{ path: "/etc/ssh/ssh_host_ed25519_key", mode: "0600", content: secretOf(privateKey) }],
      },
    );
    const { dependencies, inputs } = resourceOf(graph, "groundplane:index:NodeTask", `${name}-host-key`);
    const { hostKeyIsPresent, hostKey } = inputs.connection as { hostKeyIsPresent: boolean; hostKey: string };
    assert.deepEqual([hostKeyIsPresent, hostKey], [true, publicKey]);
    assert.ok(dependencies.includes(`${name}-files`), dependencies.join());
    assert.ok(dependencies.includes("worker-2-image"), "a former disk has the former key");
    assert.equal(dependencies.includes("gateway-host-key"), name !== "gateway");
  }
  assert.ok(!(await recordDataCenter(lab)).some(({ name }) => name.endsWith("-host-key")));
  assert.ok(!JSON.stringify(await recordDataCenter(lab)).includes("ssh-host-key.pub"), "nothing without a rotation");
});
