import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import type { ClusterSecretsInputs, ClusterSecretsOutputs } from "../../../../model/cluster-secrets-types";
import { authorityProblems } from "../../../../provider/resources/authority-input";
import { clusterSecretsResource } from "../../../../provider/resources/cluster-secrets";
import { certificatePem, makeAuthority, makeLaterAuthority } from "../../../../provider/resources/made-authority";
import { UserKeys } from "../../../../provider/resources/user-keys";
import { UNKNOWN } from "../../../../provider/rpc/property-values";
import type { Context } from "../../../../provider/rpc/resource-handler";
import { type SampleAuthority, sampleAuthority } from "../../../support/sample-authorities";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "authority-input-"));
process.env.GROUNDPLANE_DATA = path.join(folder, "data");
after(() => fs.rmSync(folder, { recursive: true }));

const lines: string[] = [];
const context = { log: (_severity: string, line: string) => lines.push(line) } as unknown as Context;
const resource = clusterSecretsResource(
  () => assert.fail("asks no driver"),
  async () => undefined,
  new UserKeys(),
);
const authority = { certificate: path.join(folder, "ca.crt"), key: path.join(folder, "ca.key") };
const asked: ClusterSecretsInputs = { stack: "lab", version: 1, authority };
const stored = (olds?: ClusterSecretsInputs) => resource.asStored?.(asked, olds, context) ?? assert.fail("not stored");

function place({ certificate, key }: SampleAuthority): void {
  fs.writeFileSync(authority.certificate, certificate);
  fs.writeFileSync(authority.key, key);
  fs.chmodSync(authority.key, 0o600);
}

let own: SampleAuthority;
let other: SampleAuthority;
before(async () => {
  own = await sampleAuthority({ name: "CN=Own" });
  other = await sampleAuthority({ name: "CN=Other" });
});

async function created() {
  place(own);
  const inputs = stored();
  assert.deepEqual(await resource.check?.(inputs, context, undefined), []);
  const { outputs } = await resource.create(inputs, false, context);
  return { inputs, outputs: outputs as ClusterSecretsOutputs };
}

test("a preview of a new stack names its authority and end, and has no key", async () => {
  place(own);
  lines.length = 0;
  const { outputs } = await resource.create(stored(), true, context);
  assert.equal(outputs.values, UNKNOWN);
  assert.match(lines.join("\n"), /^The cluster's authority is CN=Own, a root, which ends on 20\d\d-\d\d-\d\d\.$/);
  assert.ok(!JSON.stringify(outputs).includes("PRIVATE"));
});

test("all problems of the files are failures of the check", async () => {
  place(own);
  fs.rmSync(authority.certificate);
  fs.chmodSync(authority.key, 0o644);
  const failures = (await resource.check?.(stored(), context, undefined)) ?? [];
  assert.deepEqual(
    failures.map(({ reason }) => /secrets\.authority\.(\w+): .* (does not exist|other users)/.exec(reason)?.slice(1)),
    [
      ["certificate", "does not exist"],
      ["key", "other users"],
    ],
  );
  await assert.rejects(resource.create(stored(), false, context), { id: "given-authority" });
});

test("the inputs have the fingerprint and no key, and keep it without the files", async () => {
  const { inputs, outputs } = await created();
  assert.match(inputs.authority?.fingerprint ?? "", /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assert.ok(!JSON.stringify(inputs).includes("PRIVATE"));
  fs.rmSync(authority.certificate);
  fs.rmSync(authority.key);
  assert.deepEqual(stored(inputs), inputs);
  assert.deepEqual(await resource.check?.(stored(inputs), context, inputs), []);
  assert.deepEqual(await resource.update("lab/secrets", inputs, { inputs, outputs }, false, context), outputs);
});

test("another authority in the file of a running stack is refused, in a preview too", async () => {
  const state = await created();
  place(other);
  const changed = stored(state.inputs);
  assert.notDeepEqual(changed, state.inputs, "it is a difference");
  for (const preview of [true, false])
    await assert.rejects(resource.update("lab/secrets", changed, state, preview, context), {
      id: "other-authority",
      message:
        /ca\.crt" is not the stack's authority CN=Own: all nodes and pods trust that.*put the former files back/s,
    });
});

test("a restore takes the authority of the backup, and refuses another one in the files", async () => {
  const { outputs } = await created();
  assert.deepEqual(await authorityProblems(stored(), outputs.values), []);
  fs.rmSync(authority.certificate);
  assert.deepEqual(await authorityProblems(stored(), outputs.values), [], "needs no files");
  place(other);
  const [failure] = await authorityProblems(stored(), outputs.values);
  assert.match(failure?.reason ?? "", /is not the stack's authority CN=Own, which is that of the backup/);
  const without = { stack: "lab", version: 1 };
  // A root that was given has no issuers.
  for (const given of [outputs.values, { ...outputs.values, "kubernetes-ca-issuers.crt": "PEM" }]) {
    const [missing] = await authorityProblems(without, given);
    assert.match(missing?.reason ?? "", /the configuration has no secrets\.authority: add it/);
  }
});

test("a restore of an authority that groundplane made, or made again, needs no files", async () => {
  for (const make of [makeAuthority, makeLaterAuthority]) {
    const { certificate } = await make("kubernetes-ca");
    const restored = { "kubernetes-ca.crt": certificatePem(certificate) };
    assert.deepEqual(await authorityProblems({ stack: "lab", version: 1 }, restored), []);
  }
});
