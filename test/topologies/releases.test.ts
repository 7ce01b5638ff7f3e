/**
 * Every release of the table but the default one, which all other tests run: the smallest stack on a real machine. The first run
 * builds the images of these releases, which takes about ten minutes for each of them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultKubernetesVersion, kubernetesVersions, releaseOf } from "../../model/releases";
import { etcdctl, kubectl, secondsSince, supportFile, waitForReadyNodes } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { exampleSettings } from "../support/example-stacks";
import { nspawnSkipReason } from "../support/nspawn-host";

const gateway = "gateway";

const dataCenter = (version: string): string =>
  Object.entries({ ...exampleSettings("single"), driver: "nspawn", kubernetesVersion: version })
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("");

for (const version of kubernetesVersions.filter((each) => each !== defaultKubernetesVersion)) {
  const release = releaseOf(version);

  test(`a stack with Kubernetes ${version}`, { skip: nspawnSkipReason(), timeout: 30 * 60_000 }, async (t) => {
    const stack = smallStack(`r${version.replaceAll(".", "-")}`);
    const { cluster } = stack;
    const on = async (command: string): Promise<string> =>
      mustSucceed(command, await cluster.onNode(gateway, command)).stdout.trim();
    stack.configure(dataCenter(version));

    await stack.step(t, "its images are built", async () => {
      mustSucceed("image build", await cluster.groundplane("image", "build"));
    });

    await stack.step(t, "start creates it, every pod is Ready, and status and preview find nothing", async (inner) => {
      const started = performance.now();
      await stack.start();
      inner.diagnostic(`start took ${secondsSince(started)}`);
      await waitForReadyNodes(stack, 1, gateway);
      await on(`${kubectl} wait pods --all --all-namespaces --for=condition=Ready --timeout=120s`);
      inner.diagnostic(`every pod is Ready after ${secondsSince(started)}`);
      await stack.isHealthy();
      await stack.previewsNoChange();
    });

    await stack.step(t, "every program has the version of the row", async () => {
      const kubelets = "jsonpath={.items[*].status.nodeInfo.kubeletVersion}";
      assert.equal(await on(`${kubectl} get nodes -o '${kubelets}'`), `v${version}`);
      assert.match(await on(`${kubectl} version`), new RegExp(`Server Version: v${version.replaceAll(".", "\\.")}`));
      assert.match(
        await on(etcdctl("endpoint status --write-out=simple")),
        new RegExp(`, ${release.etcd.replaceAll(".", "\\.")}, `),
      );
      const images = await on(`${kubectl} get pods -A -o 'jsonpath={.items[*].spec.containers[*].image}'`);
      for (const image of [`etcd:${release.etcdTag}`, `coredns:v${release.coredns}`, `kube-proxy:v${version}`])
        assert.ok(images.includes(image), `${image} in ${images}`);
      const sandboxes = await on("crictl inspectp --output json $(crictl pods --quiet | head -n 1)");
      assert.ok(sandboxes.includes(`pause:${release.pause}`), "the image of sandboxes");
    });

    await stack.step(t, "a pod answers by the name of its Service, and shows its shell and its log", async () => {
      const manifest = Buffer.from(supportFile("gateway-page.yaml")).toString("base64");
      await on(`echo ${manifest} | base64 -d | ${kubectl} apply -f -`);
      await on(`${kubectl} rollout status deployment/page --timeout=180s`);
      const ask = () =>
        cluster.onNode(gateway, `${kubectl} exec deployment/page -- wget -q -T 5 -O - http://page.default`);
      await eventually("the page", patienceMs, ask, ({ stdout }) => stdout.trim() === gateway);
    });

    await stack.step(t, "another release is refused in a preview, and nothing changes", async () => {
      stack.configure(dataCenter(defaultKubernetesVersion));
      const { exitCode, stdout, stderr } = await cluster.pulumi("preview", "--non-interactive");
      assert.notEqual(exitCode, 0);
      const refusal = `kubernetesVersion: ${version} cannot become ${defaultKubernetesVersion}: `;
      assert.ok((stdout + stderr).replaceAll(/\s+/g, " ").includes(refusal), stdout + stderr);
      stack.configure(dataCenter(version));
      await stack.previewsNoChange();
    });

    await stack.step(t, "destroy removes it", async () => {
      mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    });
  });
}
