// The stages of a rotation of the authority of front proxies, with Kubernetes' own API server, and with kubeadm's certificates.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { controlPlaneConfigurationFile } from "../../cloud-init/files/kubernetes/kubeadm-config";
import { script } from "../../cloud-init/scripts/read-script";
import { runCommand } from "../../host/run-command";
import { defaultKubernetesVersion } from "../../model/releases";
import { rotateKeys } from "../../provider/resources/cluster-keys";
import { nodesOf } from "../../stacks/plan/data-center-plan";
import { eventually, patienceMs } from "../support/cluster-under-test";
import { examplePlan } from "../support/example-plans";
import { builtProgram, missingPrograms, type RealClusterApi, realClusterApi } from "../support/real-cluster-api";

type Keys = Readonly<Record<string, string>>;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-front-proxy-"));
const at = (...names: readonly string[]): string => path.join(folder, ...names);
const inPki = (name: string): string => at("pki", name);
const read = (file: string): string => fs.readFileSync(file, "utf8");
const clientFile = inPki("front-proxy-client.crt");

/** Files and flags as kubeadm makes them. */
function frontProxy(_folder: string, keys: Keys): readonly string[] {
  fs.mkdirSync(at("pki"));
  for (const name of ["front-proxy-ca.crt", "front-proxy-ca.key"]) fs.writeFileSync(inPki(name), keys[name] ?? "");
  const phase = ["init", "phase", "certs", "front-proxy-client", "--cert-dir", at("pki")];
  execFileSync(builtProgram("kubeadm") ?? "", [...phase, "--kubernetes-version", `v${defaultKubernetesVersion}`], {
    stdio: "ignore",
  });
  return [
    `--requestheader-client-ca-file=${inPki("front-proxy-ca.crt")}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    `--proxy-client-cert-file=${clientFile}`,
    `--proxy-client-key-file=${inPki("front-proxy-client.key")}`,
  ];
}

describe("the authority of front proxies", () => {
  let missing: string | undefined;
  let server: RealClusterApi;
  let rotated: Keys;
  let stolen: { readonly cert: string; readonly key: string };
  /** The issuers of the certificates that an extension's server was shown last. */
  let shown = "";
  const extension = https.createServer({ requestCert: true, rejectUnauthorized: false }, (request, response) => {
    shown = (request.socket as TLSSocket).getPeerCertificate().issuer?.CN?.toString() ?? "none";
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ kind: "APIResourceList", groupVersion: "tests.example/v1", resources: [] }));
  });

  before(async () => {
    missing = await missingPrograms("etcd", "kube-apiserver", "kubeadm", "kubectl");
    if (missing) return;
    server = await realClusterApi(frontProxy);
    rotated = await rotateKeys(server.keys, ["front-proxy-ca"]);
    stolen = { cert: read(clientFile), key: read(inPki("front-proxy-client.key")) };
    fs.mkdirSync(at("bin"));
    for (const name of ["authority-stages", "front-proxy-authority"] as const)
      fs.writeFileSync(at(name), script(`kubernetes/${name}`));
    fs.writeFileSync(at("cluster-state"), `state_folder=${folder}; read_phase() { phase=member; }\n`);
    const settings = `NODE_ADDRESS=127.0.0.1\nAPI_PORT=${server.port}\nMASTER_NAMES="master-1 master-2"\n`;
    fs.writeFileSync(at("node.env"), settings);
    const lab = examplePlan("lab");
    const [master = assert.fail("no master")] = nodesOf(lab, "master");
    fs.writeFileSync(at("control-plane.yaml"), controlPlaneConfigurationFile(lab, master));
    const kubectl = server.kubectl.map((word) => `'${word}'`).join(" ");
    fs.writeFileSync(at("bin/kubectl"), `#!/bin/bash\nexec ${kubectl} "$@"\n`, { mode: 0o755 });
    fs.symlinkSync(builtProgram("kubeadm") ?? "", at("bin/kubeadm"));
    extension.setSecureContext({ key: stolen.key, cert: stolen.cert });
    extension.listen(0, "127.0.0.1");
    await once(extension, "listening");
  });
  after(() => {
    server?.stop();
    extension.close();
    extension.closeAllConnections();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Not blocking: the extension's server is in this process. */
  async function stage(name: string, { key = "", reading = "0" } = {}) {
    const authority = Buffer.from(rotated["front-proxy-ca.crt"] ?? "").toString("base64");
    const env = {
      ...{ ...process.env, PATH: `${at("bin")}:${process.env.PATH}`, NODE_ENVIRONMENT: at("node.env"), PKI: at("pki") },
      ...{ KUBEADM_CONTROL_PLANE: at("control-plane.yaml"), READING: reading, PATIENCE: "90" },
    };
    const child = spawn("bash", [at("front-proxy-authority"), name, authority], { env });
    child.stdin.end(key);
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    const [code] = (await once(child, "close")) as [number];
    assert.deepEqual(
      fs.readdirSync(at("pki")).filter((file) => file.startsWith("groundplane")),
      [],
      "nothing is left",
    );
    return { code, said };
  }
  const done = { code: 0, said: "" };
  /** A stage that was killed at its end is run again. */
  async function twice(name: string, options = {}): Promise<void> {
    for (const _ of ["once", "again"]) assert.deepEqual(await stage(name, options), done, name);
  }

  /** Of a user's name that is believed because of the certificate. */
  async function statusAsProxy({ cert, key }: { readonly cert: string; readonly key: string }): Promise<string> {
    for (const [name, text] of Object.entries({ cert, key })) fs.writeFileSync(at(name), text, { mode: 0o600 });
    const headers = ["-H", "X-Remote-User: intruder", "-H", "X-Remote-Group: system:masters"];
    const url = `https://127.0.0.1:${server.port}/api/v1/secrets`;
    const words = ["-sk", "-o", at("answer"), "-w", "%{http_code}", "--cert", at("cert"), "--key", at("key")];
    return (await runCommand(["curl", ...words, ...headers, url])).stdout;
  }
  const present = () => ({ cert: read(clientFile), key: read(inPki("front-proxy-client.key")) });
  const kubectl = async (words: readonly string[], stdin = ""): Promise<string> =>
    (await runCommand([...server.kubectl, ...words], { stdin })).stdout;
  const published = async (): Promise<string> => {
    const name = ["configmap", "extension-apiserver-authentication", "--namespace=kube-system"];
    return kubectl(["get", ...name, "--output=jsonpath={.data.requestheader-client-ca-file}"]);
  };
  const authority = (keys: Keys): string => keys["front-proxy-ca.crt"] ?? assert.fail("no authority");

  test("the API server shows its certificate to an extension, and its holder may name any user", async (t) => {
    if (missing) return t.skip(missing);
    assert.equal(await statusAsProxy(stolen), "200");
    const { port } = extension.address() as AddressInfo;
    const objects = [
      {
        ...{ apiVersion: "v1", kind: "Service", metadata: { name: "extension", namespace: "default" } },
        spec: { type: "ExternalName", externalName: "localhost" },
      },
      {
        ...{ apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: { name: "v1.tests.example" } },
        spec: {
          ...{ group: "tests.example", version: "v1", groupPriorityMinimum: 100, versionPriority: 100 },
          ...{ insecureSkipTLSVerify: true, service: { name: "extension", namespace: "default", port } },
        },
      },
    ];
    await kubectl(["create", "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    await eventually(
      "a request",
      patienceMs,
      async () => shown,
      (issuer) => issuer === "front-proxy-ca",
    );
  });

  test("while another master leaves, nothing is changed", async (t) => {
    if (missing) return t.skip(missing);
    const labels = { "node-role.kubernetes.io/control-plane": "" };
    const node = JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name: "master-9", labels } });
    await kubectl(["create", "--filename=-"], node);
    const { code, said } = await stage("trust");
    assert.deepEqual([code, /^master-9 is a master that the plan does not have/.test(said)], [3, true]);
    assert.equal(read(inPki("front-proxy-ca.crt")), authority(server.keys));
    await kubectl(["delete", "node", "master-9"]);
  });

  test("no stage begins before the one that it depends on, and none with another key", async (t) => {
    if (missing) return t.skip(missing);
    const early = await stage("drop");
    assert.deepEqual(early, { code: 1, said: "this master has a certificate of a former authority\n" });
    const wrong = await stage("reissue", { key: server.keys["front-proxy-ca.key"] ?? "" });
    assert.deepEqual(wrong, { code: 1, said: "stdin has not the authority's key\n" });
    assert.deepEqual(present(), stolen);
  });

  test("the API server follows each stage without a restart, and afterwards refuses the former certificate", async (t) => {
    if (missing) return t.skip(missing);
    const key = rotated["front-proxy-ca.key"] ?? "";
    const process = server.processId();
    fs.mkdirSync(inPki("groundplane.killed"));
    await twice("trust");
    assert.equal(read(inPki("front-proxy-ca.crt")), authority(server.keys) + authority(rotated));
    assert.equal((await published()).split("BEGIN CERTIFICATE").length - 1, 2);
    await twice("reissue", { key });
    assert.deepEqual([await statusAsProxy(stolen), await statusAsProxy(present())], ["200", "200"]);
    assert.equal(read(inPki("front-proxy-ca.key")), key);
    assert.equal(fs.statSync(clientFile).mode & 0o777, 0o600);
    const isNew = (issuer: string) => /^front-proxy-ca-[0-9a-f]{16}$/.test(issuer);
    await eventually("the new certificate", patienceMs, async () => shown, isNew);
    const begun = Date.now();
    const second = 1_000;
    await stage("drop", { reading: String(Math.ceil((begun - fs.statSync(clientFile).mtimeMs) / second) + 2) });
    assert.ok(Date.now() - begun > second, "it waits until API servers have read the new certificate");
    await twice("drop");
    assert.deepEqual([await statusAsProxy(stolen), await statusAsProxy(present())], ["401", "200"]);
    assert.equal((await published()).split("BEGIN CERTIFICATE").length - 1, 2, "other API servers may need it");
    await twice("withdraw");
    assert.equal((await published()).trim(), authority(rotated).trim());
    await twice("trust");
    await twice("reissue", { key });
    assert.equal(read(inPki("front-proxy-ca.crt")), authority(rotated), "an earlier stage does nothing");
    assert.equal(server.processId(), process);
  });
});
