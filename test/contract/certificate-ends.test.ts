// When certificates are renewed, and until when the new ones are valid, by the functions of the nodes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { sampleAuthority } from "../support/sample-authorities";

const script = path.join(__dirname, "../../cloud-init/scripts/kubernetes/certificate-ends.sh");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "certificate-ends-"));
after(() => fs.rmSync(folder, { recursive: true }));

const bash = (command: string): string =>
  execFileSync("bash", ["-eu", "-o", "pipefail", "-c", command], {
    ...{ cwd: folder, encoding: "utf8", stdio: "pipe" },
    env: { PATH: process.env.PATH, pki: folder, RENEWAL_SECONDS: String(30 * 86_400) },
  }).trim();
async function certificate(name: string, days: number): Promise<string> {
  fs.writeFileSync(path.join(folder, `${name}.crt`), (await sampleAuthority({ days })).certificate);
  return `${name}.crt`;
}
const isDue = (file: string): boolean => bash(`. ${script}; if is_due <${file}; then echo yes; fi`) === "yes";

const configuration = `kind: "InitConfiguration"\n---\nkind: "ClusterConfiguration"\nclusterName: lab\n`;

/** The validity in the configuration that kubeadm would get. */
function validity(): string | undefined {
  fs.writeFileSync(path.join(folder, "init.yaml"), configuration);
  const used = bash(`. ${script}; limited_configuration init.yaml limited.yaml`);
  const text = fs.readFileSync(path.join(folder, used), "utf8");
  if (used === "init.yaml") return undefined;
  const [all = "", seconds] = /certificateValidityPeriod: "(\d+)s"\n/.exec(text) ?? assert.fail(text);
  assert.equal(text.replace(all, ""), configuration);
  assert.ok(text.includes(`ClusterConfiguration"\n${all}`), "in the right document");
  return seconds;
}

const cases = [
  { what: "far from the authority's end", authority: 3_650, due: [1, 29], kept: [31, 365], valid: undefined },
  { what: "in its last year", authority: 200, due: [1, 29, 201, 365], kept: [31, 199.99], valid: 200 },
  { what: "in its last month", authority: 20, due: [1, 19, 21, 365], kept: [19.99], valid: 20 },
];

for (const { what, authority, due, kept, valid } of cases) {
  test(`no certificate outlives the authority, and none is renewed that would not last longer: ${what}`, async () => {
    await certificate("ca", authority);
    for (const days of due) assert.ok(isDue(await certificate("leaf", days)), `${days} days`);
    for (const days of kept) assert.ok(!isDue(await certificate("leaf", days)), `${days} days`);
    const seconds = validity();
    if (valid === undefined) assert.equal(seconds, undefined);
    else assert.ok(Math.abs(Number(seconds) - valid * 86_400) < 300 && Number(seconds) < valid * 86_400, seconds);
  });
}

test("what is no certificate is renewed", () => {
  fs.writeFileSync(path.join(folder, "broken.crt"), "broken");
  assert.ok(isDue("broken.crt"));
});
