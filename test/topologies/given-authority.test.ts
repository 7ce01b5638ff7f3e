/**
 * The authority of a cluster is the user's own, issued by another one, on a real machine: clients that trust only the root verify the
 * API server, but the root's other certificates are no users.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import { kubectl } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { mustSucceed } from "../support/cluster-under-test";
import { makeExampleAuthority } from "../support/example-authority";
import { exampleSettings } from "../support/example-stacks";
import { nspawnSkipReason } from "../support/nspawn-host";

const node = "gateway";
const pki = "/etc/kubernetes/pki";

const dataCenter = (): string => {
  const secrets = { authority: { certificate: "./authority/ca.crt", key: "./authority/ca.key" } };
  return Object.entries({ ...exampleSettings("single"), driver: "nspawn", secrets })
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("");
};

test("a given authority", { skip: nspawnSkipReason(), timeout: 12 * 60_000 }, async (t) => {
  const stack = smallStack("given");
  const { cluster } = stack;
  const folder = path.join(stack.project.folder, "authority");
  const file = (name: string): string => path.join(folder, name);
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout.trim();
  const local = (program: string, ...words: readonly string[]): string =>
    execFileSync(program, words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  const server = (): string => `127.0.0.1:${stack.apiPort()}`;
  /** The status of a request; throws when the server is not trusted. */
  const ask = (...words: readonly string[]): string =>
    local(
      "curl",
      "-sS",
      "--max-time",
      "10",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      ...words,
      `https://${server()}/api`,
    );
  const trustsRootOnly = (): void => {
    assert.match(ask("--cacert", "root.crt"), /^\d{3}$/);
    const verified = local("openssl", "s_client", "-connect", server(), "-CAfile", "root.crt", "-verify_return_error");
    assert.match(verified, /Verify return code: 0 \(ok\)/);
    assert.equal(local("kubectl", "--kubeconfig", "root-only.yaml", "get", "--raw", "/readyz"), "ok");
  };

  await step("start creates the stack with it, and says whose it is", async () => {
    fs.mkdirSync(folder, { mode: 0o700 });
    makeExampleAuthority(folder);
    stack.configure(dataCenter());
    await stack.start();
    await on(`${kubectl} wait pods --all --all-namespaces --for=condition=Ready --timeout=60s`);
    await stack.isHealthy();
    await stack.previewsNoChange();
    assert.equal(await on(`cat ${pki}/ca.crt`), fs.readFileSync(file("issuing.crt"), "utf8").trim());
    const { stdout } = mustSucceed("status", await cluster.groundplane("status", "--json"));
    assert.match(stdout, /the cluster's authority CN=Example Kubernetes, O=Example ends on 20\d\d-/);
  });

  await step("clients that trust only the root verify the API server, also after a renewal", async () => {
    const kubeconfig = mustSucceed("output", await cluster.pulumi("stack", "output", "kubeconfig", "--show-secrets"));
    const root = fs.readFileSync(file("root.crt")).toString("base64");
    const data = kubeconfig.stdout.replace(/(certificate-authority-data: )\S+/, (_all, key) => `${key}"${root}"`);
    fs.writeFileSync(file("root-only.yaml"), data, { mode: 0o600 });
    trustsRootOnly();
    await on("systemctl stop groundplane-renew-certificates.timer; /usr/local/lib/groundplane/renew-certificates all");
    trustsRootOnly();
    assert.equal(await on(`grep -c BEGIN ${pki}/apiserver.crt`), "2");
    await on("systemctl start groundplane-renew-certificates.timer");
  });

  await step("pods get the root as well, and it issues no users of the cluster", async () => {
    const published = await on(`${kubectl} get configmap kube-root-ca.crt -o jsonpath='{.data.ca\\.crt}'`);
    assert.equal(published, fs.readFileSync(file("ca.crt"), "utf8").trim());
    const request = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "user.key"];
    local("openssl", "req", ...request, "-subj", "/O=system:masters/CN=user", "-out", "user.csr");
    const statusOf = (authority: string): string => {
      fs.writeFileSync(file("user.ext"), "extendedKeyUsage = clientAuth\n");
      const issue = ["-CA", `${authority}.crt`, "-CAkey", authority === "root" ? "root.key" : "ca.key"];
      local(
        "openssl",
        "x509",
        "-req",
        "-in",
        "user.csr",
        ...issue,
        "-extfile",
        "user.ext",
        "-days",
        "1",
        "-out",
        "user.crt",
      );
      return ask("--cacert", "root.crt", "--cert", "user.crt", "--key", "user.key");
    };
    assert.equal(statusOf("root"), "401");
    assert.equal(statusOf("issuing"), "200");
  });

  await step("the files are not needed any more, and another authority in them is refused", async () => {
    fs.renameSync(file("ca.key"), file("away.key"));
    await stack.previewsNoChange();
    fs.copyFileSync(file("root.crt"), file("ca.crt"));
    const refused = await cluster.groundplane("preview");
    assert.notEqual(refused.exitCode, 0);
    assert.match(
      (refused.stdout + refused.stderr).replaceAll(/\s+/g, " "),
      /ca\.crt" is not the stack's authority CN=Example Kubernetes, O=Example: all nodes and pods trust that/,
    );
    fs.rmSync(file("ca.crt"));
    await stack.previewsNoChange();
  });
});
