import assert from "node:assert/strict";
import { eventually, mustSucceed, patienceMs } from "../../support/cluster-under-test";
import {
  countsOf,
  deploy,
  etcdctl,
  healthyEtcdMembers,
  nodesOfApp,
  previewsNoChange,
  type Step,
  up,
} from "../lab-under-test";

const nodes = ["master-1", "master-2", "master-3", "worker-1", "worker-2"];

export const everythingIsReady: Step = async ({ cluster }) => {
  const ready = mustSucceed("get nodes", await cluster.kubectl("master-1", "get", "nodes", "--no-headers")).stdout;
  const seen = ready
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/).slice(0, 2).join(" "));
  assert.deepEqual(
    seen,
    nodes.map((name) => `${name} Ready`),
  );
  const pods = mustSucceed("get pods", await cluster.kubectl("master-1", "get", "pods", "-A", "--no-headers")).stdout;
  for (const line of pods.trim().split("\n")) assert.match(line, /\s(\d+)\/\1\s+Running\s/);
};

export const nothingToDo: Step = async (lab) => {
  await previewsNoChange(lab);
  assert.doesNotMatch(countsOf(await up(lab)), /created|updated|replaced|deleted/);
};

export const serviceAnswersByName: Step = async (lab) => {
  const { cluster } = lab;
  await deploy(lab, "web-service.yaml", "web", "client");
  const ask = ["exec", "deployment/client", "--", "wget", "-qO-", "http://web.default.svc.cluster.local"];
  const answered = ({ exitCode }: { exitCode: number }): boolean => exitCode === 0;
  const answer = await eventually("web by name", patienceMs, () => cluster.kubectl("master-1", ...ask), answered);
  assert.equal(answer.stdout.trim(), "worker-1");
  assert.equal(await nodesOfApp(lab, "client"), "worker-2");
};

export const oneLeaderEach: Step = async (lab) => {
  for (const lease of ["kube-scheduler", "kube-controller-manager"]) {
    const query = ["-n", "kube-system", "get", "lease", lease, "-o", "jsonpath={.spec.holderIdentity}"];
    assert.match((await lab.cluster.kubectl("master-2", ...query)).stdout, /^master-[123]_/);
  }
  assert.equal(await healthyEtcdMembers(lab), 3);
};

export const secretsAreSealedAndRequestsAudited: Step = async ({ cluster }) => {
  const create = ["create", "secret", "generic", "sealed", "--from-literal=word=plainly-visible"];
  mustSucceed("create secret", await cluster.kubectl("master-1", ...create));
  const get = etcdctl("get /registry/secrets/default/sealed --print-value-only | tr -cd '[:print:]'");
  const raw = mustSucceed("etcdctl get", await cluster.onNode("master-1", get)).stdout;
  assert.match(raw, /^k8s:enc:/);
  assert.doesNotMatch(raw, /plainly-visible/);
  // The request passed one of three masters.
  const count = "grep -c 'namespaces/default/secrets' /var/log/kubernetes/audit.log || true";
  const counts = await Promise.all(["master-1", "master-2", "master-3"].map((node) => cluster.onNode(node, count)));
  assert.ok(
    counts.some(({ stdout }) => Number(stdout) > 0),
    "the audit log holds the request",
  );
};
