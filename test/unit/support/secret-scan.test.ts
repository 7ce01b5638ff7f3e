import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { occurrencesOfSecrets } from "../../support/secret-scan";

const data = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
after(() => fs.rmSync(data, { recursive: true, force: true }));

const secret = "abcdef.0123456789abcdef";
const secrets = new Map([["bootstrap-token", secret]]);

function write(file: string, content: string, mode: number): void {
  const target = path.join(data, file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, content);
  fs.chmodSync(target, mode);
}

test("the scan finds a secret in outputs, command lines, state, logs and open files, plain or base64", () => {
  const clean = { transcript: ["nothing"], commandLines: ["kubeadm join"], data };
  assert.deepEqual(occurrencesOfSecrets(secrets, clean), []);
  assert.equal(occurrencesOfSecrets(secrets, { ...clean, transcript: [`token ${secret}`] }).length, 1);
  assert.equal(occurrencesOfSecrets(secrets, { ...clean, commandLines: [`join --token ${secret}`] }).length, 1);
  fs.chmodSync(data, 0o755);
  write("stacks/seed", secret, 0o600);
  assert.deepEqual(occurrencesOfSecrets(secrets, clean), [], "a file of its owner's alone may hold it");
  write("state/stack.json", secret, 0o600);
  write("machine.log", secret, 0o600);
  write("open", Buffer.from(secret).toString("base64"), 0o644);
  assert.deepEqual(occurrencesOfSecrets(secrets, clean).sort(), [
    "bootstrap-token in machine.log",
    "bootstrap-token in open",
    "bootstrap-token in state/stack.json",
  ]);
});
