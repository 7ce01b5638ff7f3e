// The command that lets an API server present the issuers of its certificate, with real certificates and a stand-in of kubeadm.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { makeExampleAuthority } from "../support/example-authority";

const script = path.join(__dirname, "../../cloud-init/scripts/kubernetes/serve-chain.sh");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "serve-chain-"));
const inPki = (name: string): string => path.join(folder, name);
const read = (name: string): string => fs.readFileSync(inPki(name), "utf8");
after(() => fs.rmSync(folder, { recursive: true }));

/** Issues the certificate alone, as `kubeadm init phase certs apiserver` and `kubeadm certs renew` do, and refuses a key without one. */
const kubeadm = `#!/bin/bash
echo "$*" >>calls
if [ -e apiserver.key ] && [ ! -e apiserver.crt ]; then exit 1; fi
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=kube-apiserver -keyout apiserver.key -out leaf.csr
openssl x509 -req -in leaf.csr -CA issuing.crt -CAkey ca.key -days 1 -out apiserver.crt
chmod 0644 apiserver.crt
`;

const run = (command: string): void =>
  void execFileSync("bash", ["-eu", "-c", command], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...{ PATH: `${folder}/bin:${process.env.PATH}`, NODE_ENVIRONMENT: inPki("node.env"), PKI_FOLDER: folder },
      KUBEADM_INIT_CONFIGURATION: "/etc/groundplane/kubeadm/init.yaml",
    },
  });
const serveChain = (): void => run(`bash ${script}`);
const served = (): readonly string[] =>
  (read("apiserver.crt").match(/-----BEGIN[\s\S]*?END CERTIFICATE-----/g) ?? []).map(
    (text) => new X509Certificate(text).subject.split("\n").at(-1) ?? "",
  );

before(() => {
  makeExampleAuthority(folder);
  fs.copyFileSync(inPki("ca.crt"), inPki("ca-bundle.crt"));
  fs.mkdirSync(inPki("bin"));
  fs.writeFileSync(inPki("bin/kubeadm"), kubeadm, { mode: 0o755 });
  fs.writeFileSync(inPki("node.env"), "");
});

const chain = ["CN=kube-apiserver", "CN=Example Kubernetes"];

test("the first time it lets kubeadm issue the certificate, and appends the issuers without the root", () => {
  serveChain();
  assert.deepEqual(served(), chain);
  assert.equal(read("calls"), "init phase certs apiserver --config /etc/groundplane/kubeadm/control-plane.yaml\n");
  assert.equal(fs.statSync(inPki("apiserver.crt")).mode & 0o777, 0o644);
  run("openssl verify -CAfile root.crt -untrusted apiserver.crt apiserver.crt");
});

test("again it changes nothing, so that no service restarts", () => {
  const before = fs.statSync(inPki("apiserver.crt"));
  serveChain();
  assert.deepEqual(
    [fs.statSync(inPki("apiserver.crt")).ino, fs.readdirSync(folder).includes("apiserver.crt.new")],
    [before.ino, false],
  );
});

test("after a renewal, and after a kill before the last step, it appends them again", () => {
  run("kubeadm certs renew all");
  fs.writeFileSync(inPki("apiserver.crt.new"), "partial", { mode: 0o600 });
  serveChain();
  assert.deepEqual(served(), chain);
});

test("a key without a certificate, which a kill leaves, is replaced", () => {
  fs.rmSync(inPki("apiserver.crt"));
  serveChain();
  assert.deepEqual(served(), chain);
});

test("an authority that is a root needs nothing", () => {
  fs.copyFileSync(inPki("root.crt"), inPki("ca-bundle.crt"));
  serveChain();
  assert.deepEqual(served(), chain.slice(0, 1));
});
