import assert from "node:assert/strict";
import { test } from "node:test";
import { renderNodeSeed } from "../../../../cloud-init/render-node-seed";
import { secretValue } from "../../../../components/secrets";
import { guestCommand, guestPaths } from "../../../../model/guest-paths";
import { nodesOf } from "../../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../../stacks/plan/plan-data-center";
import { exampleConfiguration } from "../../../support/example-stacks";
import { recordDataCenter, resourceOf, sampleSecret } from "../../../support/recorded-graph";

const secrets = { rotate: {}, authority: { certificate: "./ca.crt", key: "./ca.key" } };
const lab = planDataCenter({ ...exampleConfiguration("lab"), secrets });
const services = planDataCenter({ ...exampleConfiguration("services"), secrets });
const made = planDataCenter(exampleConfiguration("lab"));

const seedOf = (plan: typeof lab, role: "master" | "worker") =>
  renderNodeSeed(plan, nodesOf(plan, role)[0] ?? assert.fail(role));
const flag = `--root-ca-file=${guestPaths.authorityBundle}`;

test("masters with a given authority have its issuers, for pods and for clients of the API server", () => {
  const { userData } = seedOf(lab, "master");
  assert.ok(userData.includes(`path: "${guestPaths.authorityBundle}"`));
  assert.ok(userData.includes(`path: "${guestCommand("serve-chain")}"`));
  assert.match(userData, /name: "root-ca-file"\n +value: "\/etc\/kubernetes\/pki\/ca-bundle\.crt"/, flag);
  for (const [plan, role] of [
    [lab, "worker"],
    [made, "master"],
  ] as const) {
    const other = seedOf(plan, role).userData;
    assert.ok(!other.includes(guestPaths.authorityBundle) && !other.includes(`"${guestCommand("serve-chain")}"`), role);
  }
});

test("clients are accepted by the authority alone, not by its issuers", () => {
  const { userData, secrets: names } = seedOf(lab, "master");
  for (const [file, secret] of [
    [`${guestPaths.pki}/ca.crt`, "kubernetes-ca.crt"],
    [guestPaths.authorityBundle, "kubernetes-ca-bundle.crt"],
  ]) {
    assert.match(userData, new RegExp(`path: "${file}"[^-]*\\{(?:secret-base64|public):${secret}\\}`), file);
    assert.ok(names.some((name) => name === secret));
  }
});

test("a controller manager that is a service gets the file as a credential", () => {
  const credential = `LoadCredential=pki-ca-bundle.crt:${guestPaths.authorityBundle}`;
  assert.ok(seedOf(services, "master").userData.includes(credential));
  const ownAuthority = planDataCenter(exampleConfiguration("services"));
  assert.ok(!seedOf(ownAuthority, "master").userData.includes(credential));
});

test("clients of the API get the issuers, and joining nodes the authority alone, which kubelets accept clients by", async () => {
  const values = Object.fromEntries(
    ["kubernetes-ca.crt", "kubernetes-ca-issuers.crt"].map((name) => [name, `${name} `]),
  );
  assert.equal(secretValue(values, "kubernetes-ca-bundle.crt"), "kubernetes-ca.crt kubernetes-ca-issuers.crt ");
  const { "kubernetes-ca-issuers.crt": _none, ...ofRoot } = values;
  assert.equal(secretValue(ofRoot, "kubernetes-ca-bundle.crt"), "kubernetes-ca.crt ");
  const { objects } = resourceOf(
    await recordDataCenter(lab),
    "groundplane:index:ClusterObjects",
    "cluster-objects",
  ).inputs;
  assert.ok(JSON.stringify(objects).includes(Buffer.from(sampleSecret("kubernetes-ca.crt")).toString("base64")));
});
