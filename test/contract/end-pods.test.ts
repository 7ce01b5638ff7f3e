import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { firstNodePort, lastNodePort } from "../../model/ports";

/**
 * The real script on processes of this host, with a containerd that is a folder of files. The time limits are far above what an
 * idle host needs, and below what a container would get without the rule that is tested.
 */

const script = path.join(__dirname, "../../cloud-init/scripts/kubernetes/end-pods.sh");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-end-pods-"));
after(() => fs.rmSync(folder, { recursive: true }));
fs.mkdirSync(path.join(folder, "bin"));

const ctr = `#!/bin/bash
shift 2
case "$1 $2" in
  "tasks list")
    echo "TASK PID STATUS"
    for file in ${folder}/containers/*; do
      pid=$(jq .pid "$file")
      if [ -d "/proc/$pid" ]; then echo "$(basename "$file") $pid RUNNING"; fi
    done
    ;;
  "containers info") jq .info "${folder}/containers/$3" ;;
  "tasks kill") kill -s "\${4#SIG}" "$(jq .pid "${folder}/containers/$5")" ;;
  "tasks exec") shift 5; "$@" ;;
esac
`;
fs.writeFileSync(path.join(folder, "bin", "ctr"), ctr, { mode: 0o755 });

/** The rules stay unread: they would apply to this host. */
const nft = `#!/bin/bash
cat >${folder}/rules
echo NodePorts closed >>${folder}/log
`;
fs.writeFileSync(path.join(folder, "bin", "nft"), nft, { mode: 0o755 });

interface Container {
  readonly name: string;
  readonly namespace: string;
  /** Of a process that says when it gets its signal. */
  readonly body: string;
  readonly grace?: number;
  readonly signal?: string;
  readonly hook?: object;
}

const log = path.join(folder, "log");

/** Starts the containers, ends them, and returns what they wrote and how long it took. */
async function end(
  limit: number,
  containers: readonly Container[],
  showsNodePorts = false,
): Promise<{ said: string[]; seconds: number }> {
  fs.rmSync(path.join(folder, "containers"), { recursive: true, force: true });
  fs.mkdirSync(path.join(folder, "containers"));
  fs.writeFileSync(log, "");
  const children = containers.map(({ name, namespace, body, grace = 30, signal, hook }) => {
    const child = spawn("bash", [
      "-c",
      `say() { echo "${name} $1" >>${log}; }; ${body}; say ready; while :; do sleep 0.05; done`,
    ]);
    const annotations = {
      "io.kubernetes.pod.terminationGracePeriod": String(grace),
      ...(hook && { "io.kubernetes.container.preStopHandler": JSON.stringify(hook) }),
    };
    const kept = { Version: "v1", Metadata: { ID: name, Config: { annotations } } };
    const info = {
      Labels: {
        "io.cri-containerd.kind": "container",
        "io.kubernetes.pod.namespace": namespace,
        "io.kubernetes.container.name": name,
        ...(signal && { "io.containerd.image.config.stop-signal": signal }),
      },
      Extensions: {
        "io.cri-containerd.container.metadata": {
          type_url: "github.com/containerd/cri/pkg/store/container/Metadata",
          value: Buffer.from(JSON.stringify(kept)).toString("base64"),
        },
      },
    };
    fs.writeFileSync(path.join(folder, "containers", name), JSON.stringify({ pid: child.pid, info }));
    return child;
  });
  const ended = children.map((child) => once(child, "exit"));
  while (fs.readFileSync(log, "utf8").match(/ready/g)?.length !== containers.length) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const environment = path.join(folder, "node.env");
  const settings = {
    POD_GRACE_SECONDS: limit,
    CLUSTER_NAMESPACES: "kube-system kube-flannel",
    NODE_PORTS: `${firstNodePort}-${lastNodePort}`,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`);
  fs.writeFileSync(environment, lines.join(""));
  const started = performance.now();
  const run = spawn("bash", [script], {
    env: { PATH: `${folder}/bin:${process.env.PATH}`, NODE_ENVIRONMENT: environment },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = await once(run, "exit");
  const seconds = (performance.now() - started) / 1000;
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(ended);
  assert.equal(code, 0);
  const said = fs.readFileSync(log, "utf8").trimEnd().split("\n");
  return {
    said: said.filter((line) => !line.endsWith("ready") && (showsNodePorts || line !== "NodePorts closed")),
    seconds,
  };
}

const endsAfter = (seconds: number, signal = "TERM"): string => `trap 'sleep ${seconds}; say written; exit' ${signal}`;

test("a pod gets the time that it needs, and a quick one costs none", async () => {
  const slow = await end(30, [{ name: "db", namespace: "shop", body: endsAfter(3) }]);
  assert.deepEqual(slow.said, ["db written"]);
  const quick = await end(30, [{ name: "web", namespace: "shop", body: endsAfter(0) }]);
  assert.ok(quick.seconds < 15, `${quick.seconds} s`);
});

test("the grace period of the pod counts, up to the limit", async () => {
  const own = await end(30, [{ name: "db", namespace: "shop", body: endsAfter(20), grace: 1 }]);
  assert.deepEqual(own.said, []);
  assert.ok(own.seconds < 15, `${own.seconds} s`);
  const limited = await end(1, [{ name: "db", namespace: "shop", body: endsAfter(20), grace: 600 }]);
  assert.deepEqual(limited.said, []);
  assert.ok(limited.seconds < 15, `${limited.seconds} s`);
});

test("a container gets the stop signal of its image, after its preStop hook", async () => {
  const hook = { exec: { command: ["bash", "-c", `echo 'db hook' >>${log}`] } };
  const { said } = await end(30, [
    { name: "db", namespace: "shop", body: endsAfter(0, "QUIT"), signal: "SIGQUIT", hook },
  ]);
  assert.deepEqual(said, ["db hook", "db written"]);
});

test("a hook that hangs does not outlast the grace period", async () => {
  const hook = { sleep: { seconds: 20 } };
  const { seconds } = await end(30, [{ name: "db", namespace: "shop", body: endsAfter(0), grace: 1, hook }]);
  assert.ok(seconds < 15, `${seconds} s`);
});

test("the pods of the data centre end after all others, and do not get the time of users' pods", async () => {
  const { said, seconds } = await end(30, [
    { name: "flannel", namespace: "kube-flannel", body: endsAfter(0) },
    { name: "db", namespace: "shop", body: endsAfter(2) },
    { name: "api", namespace: "kube-system", body: "trap '' TERM" },
  ]);
  assert.deepEqual(said, ["db written", "flannel written"]);
  assert.ok(seconds < 25, `${seconds} s`);
});

test("etcd ends after the API server, which needs it for the requests that it has accepted", async () => {
  const { said } = await end(30, [
    { name: "etcd", namespace: "kube-system", body: endsAfter(0) },
    { name: "kube-apiserver", namespace: "kube-system", body: endsAfter(1) },
  ]);
  assert.deepEqual(said, ["kube-apiserver written", "etcd written"]);
});

test("NodePorts refuse connections before the network of pods ends, and after users' pods", async () => {
  const containers = [
    { name: "flannel", namespace: "kube-flannel", body: endsAfter(0) },
    { name: "web", namespace: "shop", body: endsAfter(0) },
  ];
  const { said, seconds } = await end(30, containers, true);
  assert.deepEqual(said, ["web written", "NodePorts closed", "flannel written"]);
  assert.ok(seconds >= 1, "connections have time to end");
});

test("the rules for NodePorts are valid", { skip: process.getuid?.() !== 0 && "needs root" }, () => {
  const { status, stderr } = spawnSync("nft", ["--check", "--file", path.join(folder, "rules")], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});
