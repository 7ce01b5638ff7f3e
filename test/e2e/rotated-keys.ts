import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { apiConnectionIn, clusterApi } from "../../guests/cluster-api";
import { sshWords } from "../../guests/ssh-files";
import { mustSucceed } from "../support/cluster-under-test";
import { secretsOf } from "../support/secret-scan";
import { etcdctl } from "./lab-under-test";
import { smallStack } from "./small-stack";

/** The settings of a stack of three masters with these rotations. */
export const dataCenter = (rotate: string): string => `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 3}
  workers: {count: 1}
options: {fastProbes: true, podGraceSeconds: 5}
secrets: {rotate: ${rotate}}
`;

export const masters = ["master-1", "master-2", "master-3"];
export const nodes = ["gateway", "balancer-1", ...masters, "worker-1"];
/** The balancer spreads them over all masters. */
const REQUESTS = 15;

export interface Credentials {
  readonly kubeconfig: string;
  readonly sshKey: string;
}

/** A stack whose keys are rotated, and what accepts which of them. */
export function rotatedStack(name: string) {
  const stack = smallStack(name);
  const { cluster } = stack;
  const configure = (rotate: string): void => stack.configure(dataCenter(rotate));
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;

  const credentials = async (): Promise<Credentials> => {
    const output = async (name: string) =>
      mustSucceed(name, await cluster.pulumi("stack", "output", name, "--show-secrets")).stdout;
    return { kubeconfig: await output("kubeconfig"), sshKey: await output("sshPrivateKey") };
  };
  /** Each request has its own connection. */
  const statuses = async ({ kubeconfig }: Credentials): Promise<readonly number[]> => {
    const seen = new Set<number>();
    for (let request = 0; request < REQUESTS; request++) {
      const api = clusterApi(apiConnectionIn(kubeconfig));
      seen.add((await api.request("GET", "/api/v1/namespaces/kube-system/secrets")).status);
      api.close();
    }
    return [...seen];
  };
  /** Over a connection of its own, with files that `groundplane ssh` has written, and no other key. */
  const tryKey = async (node: string, { sshKey }: Credentials): Promise<string> => {
    const folder = path.join(cluster.project.data, "stacks", cluster.stack, "ssh");
    const key = path.join(folder, "tried");
    fs.writeFileSync(key, sshKey, { mode: 0o600 });
    const others = fs.readFileSync(path.join(folder, "config"), "utf8").replaceAll(/^ *IdentityFile .*\n/gm, "");
    const [config, throughGateway] = ["tried-config", "config"].map((name) => path.join(folder, name));
    fs.writeFileSync(config as string, `${others}  IdentityFile "${key}"\n`);
    // The gateway is reached with the present key, so that only the node itself decides.
    assert.ok(others.includes(throughGateway as string));
    const { exitCode, stderr } = await cluster.run(sshWords(config as string, node, ["true"]));
    return exitCode === 0 ? "accepted" : /Permission denied/.test(stderr) ? "denied" : stderr;
  };
  const login = async (node: string, tried: Credentials): Promise<string> => {
    await on("gateway", "true"); // writes the files of ssh
    return tryKey(node, tried);
  };
  const loginsOf = async (tried: Credentials): Promise<readonly string[]> => {
    const seen = [];
    for (const node of nodes) seen.push(await login(node, tried));
    return [...new Set(seen)];
  };
  const onlyNewWork = async (former: Credentials, now: Credentials): Promise<void> => {
    assert.deepEqual(await statuses(now), [200]);
    assert.deepEqual(await statuses(former), [401]);
    assert.deepEqual(await loginsOf(now), ["accepted"]);
    assert.deepEqual(await loginsOf(former), ["denied"]);
  };

  const knownHosts = async (): Promise<string> =>
    mustSucceed("knownHosts", await cluster.pulumi("stack", "output", "knownHosts")).stdout.trim();
  const keysIn = (lines: string): readonly string[] => lines.match(/ssh-ed25519 \S+/g) ?? [];
  const presentedKey = async (node: string): Promise<string> =>
    keysIn(await on(node, "ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null"))[0] ?? "none";
  /** By the nodes' sshd, by the outputs and by the files of ssh. */
  const onlyNewHostKeys = async (former: string): Promise<void> => {
    const present = await knownHosts();
    assert.equal(keysIn(former).length, nodes.length + 1);
    for (const key of keysIn(former)) assert.ok(!present.includes(key), key);
    for (const node of nodes) {
      const key = await presentedKey(node);
      assert.ok(present.includes(key), `${node} presents ${key}`);
    }
    const file = path.join(cluster.project.data, "stacks", cluster.stack, "ssh/known_hosts");
    assert.equal(fs.readFileSync(file, "utf8").trim(), present, "ssh accepts no other key");
  };

  /** `groundplane ssh` without a check of host keys. */
  const unchecked = async (node: string, command: string): Promise<string> => {
    const folder = path.join(cluster.project.data, "stacks", cluster.stack, "ssh");
    const [config, unsafe] = ["config", "unchecked"].map((name) => path.join(folder, name)) as [string, string];
    const text = fs.readFileSync(config, "utf8").replaceAll(config, unsafe);
    fs.writeFileSync(
      unsafe,
      text
        .replace(/UserKnownHostsFile .*\n *(?=Global)/, "UserKnownHostsFile /dev/null\n  ")
        .replace("Checking yes", "Checking no"),
    );
    return mustSucceed(command, await cluster.run(sshWords(unsafe, node, [command]))).stdout;
  };
  /** Meanwhile the node presents the key in this file on it, as a machine in its place would. */
  const presenting = async (node: string, file: string, run: () => Promise<void>): Promise<void> => {
    const key = "/etc/ssh/ssh_host_ed25519_key";
    await unchecked(node, `cp ${key} /root/kept-key && cp ${file} ${key} && systemctl reload ssh`);
    await run().finally(() => unchecked(node, `mv /root/kept-key ${key} && systemctl reload ssh`));
  };

  const kubectl = async (command: string): Promise<string> =>
    (await on("master-1", `kubectl --kubeconfig /etc/kubernetes/admin.conf ${command}`)).trim();
  /** The beginnings of all encrypted Secrets in etcd, which name their keys. */
  const encryptionInEtcd = async (): Promise<readonly string[]> => {
    const values = `${etcdctl("get --prefix /registry/secrets/ --print-value-only")} | tr -cs '[:print:]' '\\n'`;
    const found = await on("master-1", `${values} | grep -o '^k8s:enc:secretbox:v1:[a-z0-9]*:' | sort -u`);
    return found.trim().split("\n");
  };
  const configuredKeys = async (master: string): Promise<readonly string[]> => {
    const file = "/etc/kubernetes/api-server/encryption-configuration.yaml";
    return [...(await on(master, `grep name: ${file}`)).matchAll(/"(\w+)"/g)].map(([, name = ""]) => name);
  };
  const noOutputShowsKey = async (): Promise<void> => {
    const lines = [...(await secretsOf(cluster))].flatMap(([name, text]) =>
      text.split(/\n|\\n/).flatMap((line) => (line.length > 40 ? [[name, line] as const] : [])),
    );
    assert.ok(lines.length > 0);
    for (const [name, line] of lines) assert.ok(!cluster.transcript.some((text) => text.includes(line)), name);
  };

  return {
    ...{ stack, configure, on, credentials, statuses, tryKey, loginsOf, onlyNewWork },
    ...{ knownHosts, presentedKey, onlyNewHostKeys, presenting },
    ...{ kubectl, encryptionInEtcd, configuredKeys, noOutputShowsKey },
  };
}
