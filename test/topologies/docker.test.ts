/** Docker Engine as the runtime of containers, on a small stack of real machines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { containerRuntimes } from "../../model/container-runtimes";
import { busyboxImage } from "../../model/releases";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { missingDockerPart } from "../support/docker-part";
import { nspawnSkipReason } from "../support/nspawn-host";

const dataCenter = `driver: nspawn
pools: {balancers: {count: 1}, masters: {count: 1}, workers: {count: 1}}
options: {fastProbes: true, runtime: docker}
`;

test("Docker runs the pods", { skip: nspawnSkipReason(), timeout: 30 * 60_000 }, async (t) => {
  const missing = await missingDockerPart();
  if (missing !== undefined) return t.skip(missing);
  const stack = smallStack("docker");
  const { cluster } = stack;
  const step = (name: string, run: () => Promise<void>) => stack.step(t, name, run);
  const onWorker = async (command: string): Promise<string> =>
    mustSucceed(command, await cluster.onNode("worker-1", command)).stdout.trim();
  const kubectl = async (...words: string[]): Promise<string> =>
    mustSucceed(words.join(" "), await cluster.kubectl("master-1", ...words)).stdout.trim();

  await step("every pod of a new stack starts, and status finds it healthy", async () => {
    stack.configure(dataCenter);
    await stack.start();
    const versions = await kubectl("get nodes -o", "'jsonpath={.items[*].status.nodeInfo.containerRuntimeVersion}'");
    assert.match(versions, /^docker:\/\/\S+ docker:\/\/\S+$/);
    await stack.isHealthy();
  });

  const web = "kubectl --kubeconfig /etc/kubernetes/admin.conf";
  const answer = () =>
    cluster.onNode(
      "master-1",
      `curl -s --max-time 2 http://$(${web} get pod -l app=web -o jsonpath={.items[0].status.podIP}):8080/`,
    );
  const answers = () => eventually("the page of the pod", patienceMs, answer, ({ stdout }) => stdout === "page\n");

  await step(
    "a pod answers on another node, and has its output, its shell and a profile for system calls",
    async () => {
      const serve = "'echo started; mkdir /tmp/w; echo page >/tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w'";
      await kubectl(`create deployment web --image=${busyboxImage} -- sh -c ${serve}`);
      await answers();
      assert.equal(await kubectl("logs deploy/web"), "started");
      assert.match(await kubectl("exec deploy/web -- grep Seccomp: /proc/1/status"), /^Seccomp:\s+2$/);
    },
  );

  await step("crictl and docker show it, in the network of the node", async () => {
    assert.match(await onWorker("crictl ps --name busybox --quiet"), /^[0-9a-f]{64}$/);
    assert.match(
      await onWorker("docker ps --filter label=io.kubernetes.container.name=busybox --format '{{.Image}}'"),
      /\S/,
    );
    assert.equal(await onWorker("docker info --format '{{.CgroupDriver}} {{.LoggingDriver}}'"), "cgroupfs json-file");
    assert.match(await onWorker("ip -brief link show master cni0"), /^veth/);
  });

  await step("containers outlive a restart of Docker", async () => {
    const started = () => onWorker("docker inspect --format '{{.State.Pid}}' $(crictl ps --name busybox --quiet)");
    const before = await started();
    await onWorker("systemctl restart docker cri-dockerd");
    await answers();
    assert.equal(await started(), before);
    assert.equal(await kubectl("exec deploy/web -- cat /tmp/w/index.html"), "page");
  });

  await step("a node without Docker is not healthy", async () => {
    await onWorker("systemctl stop docker");
    const { stdout, exitCode } = await cluster.groundplane("status");
    assert.notEqual(exitCode, 0);
    assert.match(stdout, new RegExp(`${containerRuntimes.docker.title} does not run`));
    await onWorker("systemctl start docker");
  });

  await step("pods end with their node in their own time, and come back", async () => {
    mustSucceed("stop", await cluster.groundplane("stop"));
    await stack.start();
    await answers();
  });
});
