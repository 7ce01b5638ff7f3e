import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { mustSucceed } from "../../support/cluster-under-test";
import {
  askMeanwhile,
  balancers,
  countsOf,
  floatingIpHolder,
  type LabUnderTest,
  masters,
  previewsNoChange,
  type Step,
  secondsSince,
  tellGap,
  up,
} from "../lab-under-test";

/**
 * A machine that runs all tests may be this slow: each master that restarts has an election of etcd, and all of them wait for the
 * processor. If masters restarted at the same time, the API would not respond until one of them has started, which takes longer.
 */
const NO_OUTAGE_MS = 8_000;

/** Another failover profile has other timers on the balancers and other arguments for each master's control plane. */
export const changesRoll: Step = async (lab, t) => {
  lab.configure({ failover: "calm" });
  const started = performance.now();
  const client = await askMeanwhile(lab, 10);
  const counts = countsOf(await up(lab));
  const seen = await client.stop();
  t.diagnostic(`rolling changed files took ${secondsSince(started)}`);
  tellGap(t, "rolling-files", seen);
  assert.match(counts, /updated/);
  assert.doesNotMatch(counts, /created|replaced|deleted/);
  assert.ok(seen.longestGapMs <= NO_OUTAGE_MS, `no response for ${seen.longestGapMs} ms`);

  for (const name of balancers) {
    const token = await lab.cluster.onNode(name, "corosync-cmapctl -g runtime.config.totem.token");
    assert.match(token.stdout, / = 1000$/m, name);
  }
  const starts = await Promise.all(masters.map((name) => startOf(lab, name)));
  assert.deepEqual([...starts].sort(), starts, "one master after the other");
  for (const [index, time] of starts.slice(1).entries()) assert.ok(time > Number(starts[index]) + 1, `${starts}`);
  for (const name of masters)
    mustSucceed(name, await lab.cluster.onNode(name, "pgrep -f '^etcd .*election-timeout=1000'"));
  const volume = await lab.cluster.onNode("storage-1", "gluster --mode=script volume info data");
  assert.match(volume.stdout, /^client\.tcp-user-timeout: 2$/m, "the volume's options change as well");
  const patience = "-n kube-system get configmap kubeadm-config -o yaml";
  assert.match(
    (await lab.cluster.kubectl("master-1", patience)).stdout,
    /unreachable-toleration-seconds"?\n\s+value: "60"/,
  );
};

/** The start time of a master's API server with the new toleration, in seconds since the epoch. */
async function startOf({ cluster }: LabUnderTest, master: string): Promise<number> {
  const find = "pid=$(pgrep -f '^kube-apiserver .*--default-unreachable-toleration-seconds=60')";
  const started = await cluster.onNode(master, `${find} && date +%s -d "$(ps -o lstart= -p $pid)"`);
  return Number(mustSucceed(`the API server of ${master}`, started).stdout);
}

const files = "sha256sum /etc/haproxy/haproxy.cfg; ls -a /etc/haproxy";
const haproxyOf = ({ cluster }: LabUnderTest) =>
  Promise.all(balancers.map(async (name) => (await cluster.onNode(name, files)).stdout));

export const mistakesStop: Step = async (lab, t) => {
  const before = await haproxyOf(lab);
  const attempt = async (from: string, to: string) => {
    const source = path.join(lab.cluster.project.folder, "cloud-init", "files", "haproxy-cfg.ts");
    const text = fs.readFileSync(source, "utf8");
    assert.ok(text.includes(from));
    fs.writeFileSync(source, text.replace(from, to));
    const client = await askMeanwhile(lab, 10);
    const { exitCode, stdout } = await lab.cluster.pulumi("up", "--yes", "--skip-preview");
    const seen = await client.stop();
    fs.writeFileSync(source, text);
    assert.notEqual(exitCode, 0);
    assert.deepEqual(await haproxyOf(lab), before);
    return { stdout, seen };
  };

  const refused = await attempt("timeout connect", "timeout conect");
  tellGap(t, "a refused file", refused.seen);
  assert.match(refused.stdout, /neither balancer-1 nor any node after it was changed: .*conect/s);
  assert.ok(refused.seen.longestGapMs <= NO_OUTAGE_MS, `no response for ${refused.seen.longestGapMs} ms`);

  // HAProxy accepts it, but no master responds there.
  const broken = await attempt("${confValue(address)}:${port}", "${confValue(address)}:6444");
  tellGap(t, "a file that breaks the service of one balancer", broken.seen);
  assert.match(broken.stdout, /balancer-1 is unhealthy with its new files, it has its former files again/);
  assert.doesNotMatch(broken.stdout, /balancer-2-files updat/);
  assert.notEqual(await floatingIpHolder(lab, balancers), "");
  await previewsNoChange(lab);
};
