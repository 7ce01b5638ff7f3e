import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { parse } from "yaml";
import { forgetInKubeconfig, mergeIntoKubeconfig, removeFromKubeconfig } from "../../../cli/kubeconfig/user-kubeconfig";
import { renderKubeconfig } from "../../../components/kubeconfig";

const names = ["HOME", "KUBECONFIG", "GROUNDPLANE_DATA"] as const;
const former = names.map((name) => [name, process.env[name]] as const);
let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  Object.assign(process.env, { HOME: folder, GROUNDPLANE_DATA: inFolder("data") });
  delete process.env.KUBECONFIG;
});
afterEach(() => {
  for (const [name, value] of former) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  fs.rmSync(folder, { recursive: true });
});

const inFolder = (name: string): string => path.join(folder, name);
const read = (name: string): string => fs.readFileSync(inFolder(name), "utf8");
const kubeconfigWith = (clientKey: string): string =>
  renderKubeconfig({
    ...{ stack: "lab", server: "https://127.0.0.1:6443", certificateAuthority: "ca", clientCertificate: "crt" },
    clientKey,
  });
const mergeWith = async (clientKey = "key"): Promise<string> =>
  (await mergeIntoKubeconfig("lab", kubeconfigWith(clientKey))).join("\n");

test("with KUBECONFIG of the quick start, a merge says that kubectl does not read its file", async () => {
  process.env.KUBECONFIG = inFolder("data/stacks/lab/kubeconfig");
  for (const what of ["new", "present"]) assert.match(await mergeWith(), /`unset KUBECONFIG` first/, what);
  assert.match(read(".kube/config"), /name: "?groundplane-lab/);
  process.env.KUBECONFIG = `${process.env.KUBECONFIG}:${inFolder(".kube/config")}`;
  assert.doesNotMatch(await mergeWith(), /unset/);
});

test("the current context stays that of any file of KUBECONFIG", async () => {
  fs.writeFileSync(inFolder("extra"), "clusters: []\n");
  fs.writeFileSync(inFolder("config"), "current-context: prod\n");
  process.env.KUBECONFIG = `${inFolder("extra")}:${inFolder("config")}`;
  await mergeWith();
  assert.equal(parse(read("extra"))["current-context"], undefined);
  fs.writeFileSync(inFolder("config"), "current-context: ''\n");
  await removeFromKubeconfig("lab");
  await mergeWith();
  assert.equal(parse(read("extra"))["current-context"], "groundplane-lab");
});

test("the copy is what the user wrote, and no copy has the keys of a stack", async () => {
  const written = "# mine\nclusters: []\nusers: []\ncontexts: []\ncurrent-context: prod\n";
  fs.writeFileSync(inFolder("config"), written);
  process.env.KUBECONFIG = inFolder("config");
  for (const key of ["one", "two", "two"]) await mergeWith(key);
  assert.deepEqual(await removeFromKubeconfig("lab"), [
    `${inFolder("config")} no longer has the context groundplane-lab`,
  ]);
  assert.deepEqual(fs.readdirSync(folder).sort(), ["config", "config.before-groundplane"]);
  assert.deepEqual([read("config"), read("config.before-groundplane")], [written, written]);
});

test("a stack that is destroyed while its context cannot be removed names the command of this stack", async () => {
  await mergeIntoKubeconfig("small", kubeconfigWith("key"));
  fs.writeFileSync(inFolder(".kube/config.lock"), "");
  const [line = ""] = await forgetInKubeconfig("small");
  assert.match(line, /`npx groundplane kubeconfig --stack small --unmerge` removes it: another program/);
  fs.rmSync(inFolder(".kube/config.lock"));
  assert.match((await forgetInKubeconfig("small"))[0] ?? "", /no longer has the context groundplane-small$/);
});
