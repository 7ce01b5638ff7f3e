// The authority of a cluster is the user's own, on the real engine with machines of the fake driver.
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { makeExampleAuthority } from "../support/example-authority";
import { copyProject, type ProjectCopy } from "../support/project-copy";
import { occurrencesOfSecrets, secretsOf } from "../support/secret-scan";

const stack = "given";
const transcript: string[] = [];
let project: ProjectCopy;
let cluster: ClusterUnderTest;
const file = (name: string): string => path.join(project.folder, "authority", name);
const read = (name: string): string => fs.readFileSync(file(name), "utf8");

const pulumi = async (...words: readonly string[]) => {
  const result = await cluster.pulumi(...words, "--non-interactive");
  const text = result.stdout + result.stderr;
  transcript.push(text);
  return { ...result, line: text.replaceAll(/\s+/g, " ") };
};

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  cluster = new ClusterUnderTest(project, stack);
  fs.mkdirSync(path.dirname(file("ca.crt")), { mode: 0o700 });
  const pools = "{balancers: {count: 1}, masters: {count: 1}, workers: {count: 0}}";
  const authority = "{certificate: ./authority/ca.crt, key: ./authority/ca.key}";
  const dataCenter = `{driver: fake, pools: ${pools}, secrets: {authority: ${authority}}}`;
  fs.writeFileSync(project.stackFile(stack), `config:\n  groundplane:dataCenter: ${dataCenter}\n`);
  mustSucceed("init", await cluster.pulumi("stack", "init"));
});
after(() => project?.remove());

test("a preview names all problems of the files", async () => {
  const { exitCode, line } = await pulumi("preview");
  assert.notEqual(exitCode, 0);
  for (const [key, name] of [
    ["certificate", "ca\\.crt"],
    ["key", "ca\\.key"],
  ])
    assert.match(
      line,
      new RegExp(`secrets\\.authority\\.${key}: "/\\S+/authority/${name}" does not exist; correct the path`),
    );
});

test("up names the authority, and no file of other users, output or plain state has its key", async () => {
  makeExampleAuthority(path.dirname(file("ca.crt")));
  const { exitCode, line } = await pulumi("up", "--yes", "--skip-preview", "--suppress-outputs");
  assert.equal(exitCode, 0, line);
  assert.match(
    line,
    /authority is CN=Example Kubernetes, O=Example, issued by CN=Example Root, O=Example, which ends on 20/,
  );
  const { stdout } = await cluster.pulumi("stack", "output", "kubeconfig", "--show-secrets");
  assert.ok(stdout.includes(Buffer.from(read("ca.crt")).toString("base64")), "clients get the issuers");
  const secrets = await secretsOf(cluster);
  const keyOf = (text = "") => createPrivateKey(text);
  assert.ok(keyOf(secrets.get("kubernetes-ca.key")).equals(keyOf(read("ca.key"))));
  const exported = (await pulumi("stack", "export")).stdout;
  assert.ok(exported.includes('"fingerprint"') && !exported.includes("PRIVATE KEY"));
  const key = new Map([["kubernetes-ca.key", read("ca.key")]]);
  assert.deepEqual(occurrencesOfSecrets(key, { transcript, commandLines: [], data: project.data }), []);
});

test("without the key, another authority in the file is refused", async () => {
  fs.rmSync(file("ca.key"));
  fs.copyFileSync(file("root.crt"), file("ca.crt"));
  const { exitCode, line } = await pulumi("preview");
  assert.notEqual(exitCode, 0);
  assert.match(
    line,
    /authority\/ca\.crt" is not the stack's authority CN=Example Kubernetes, O=Example: .* start over/,
  );
});
