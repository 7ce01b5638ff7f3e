/**
 * Records the objects that kubeadm installs as addons of the cluster `lab`, for every release whose kubeadm has been built on this
 * host: run `npx tsx test/support/record-addons.ts` after a new release's images have been built. A unit test compares them with
 * the data centre's own objects.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { initConfigurationFile } from "../../cloud-init/files/kubernetes/kubeadm-config";
import { partsFolder } from "../../host/data-folder";
import { type KubernetesVersion, kubernetesVersions } from "../../model/releases";
import { nodesOf } from "../../stacks/plan/data-center-plan";
import { addonsFile } from "./addons-file";
import { examplePlan } from "./example-plans";

/** What the data centre has in place of kubeadm's defaults: the mode, and the connection tracking of the host's kernel. */
const kubeProxy = `---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
conntrack: {maxPerCore: 0, min: 0, tcpCloseWaitTimeout: 0s, tcpEstablishedTimeout: 0s}
`;

const labelSelector = { matchLabels: { "k8s-app": "kube-dns" } };
const required = [{ labelSelector, topologyKey: "kubernetes.io/hostname" }];
const apart = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
const coreDnsPatch = { spec: { template: { spec: { affinity: apart } } } };

function record(version: KubernetesVersion): void {
  const name = new RegExp(`^kubernetes-${version}-[0-9a-f]{12}$`);
  const part = fs.readdirSync(partsFolder()).find((each) => name.test(each));
  if (part === undefined) {
    console.log(`${version}: kubeadm has not been built here`);
    return;
  }
  const file = addonsFile(version);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, addons(version, path.join(partsFolder(), part, "content", "kubeadm")));
  console.log(`${version}: ${file}`);
}

function addons(version: KubernetesVersion, kubeadm: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-addons-"));
  const configuration = path.join(folder, "init.yaml");
  const argv = (addon: string) => ["init", "phase", "addon", addon, "--print-manifest", "--config", configuration];
  try {
    fs.writeFileSync(configuration, configurationOf(version).replace(/directory: .*/, `directory: ${folder}`));
    fs.writeFileSync(path.join(folder, "corednsdeployment.json"), JSON.stringify(coreDnsPatch));
    const printed = ["coredns", "kube-proxy"].map((addon) => execFileSync(kubeadm, argv(addon), { encoding: "utf8" }));
    // Without its messages, and one line between two documents.
    const documents = printed.join("").replaceAll(/^\[.*\n/gm, "");
    return `# kubeadm init phase addon --print-manifest\n${documents.replaceAll(/\n*^---\n?/gm, "\n---\n").trim()}\n`;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function configurationOf(version: KubernetesVersion): string {
  const lab = examplePlan("lab");
  const plan = { ...lab, kubernetes: { ...lab.kubernetes, version } };
  const [master] = nodesOf(plan, "master");
  if (!master) throw new Error("lab has no master");
  return initConfigurationFile(plan, master) + kubeProxy;
}

kubernetesVersions.forEach(record);
