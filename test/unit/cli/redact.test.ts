import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { test } from "node:test";
import { collect, tail } from "../../../cli/report/collect";
import { type PrivateWords, redactor } from "../../../cli/report/redact";

const none: PrivateWords = { secrets: [], folders: {}, names: {} };
const redact = redactor(none);

test("secrets are found by their values, in base64, in JSON and line by line", () => {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const password = "correct horse";
  const clean = redactor({ ...none, secrets: [privateKey, password, ""] });
  const line = privateKey.split("\n")[3] ?? "";
  const forms = [privateKey, Buffer.from(privateKey).toString("base64"), JSON.stringify({ privateKey }), `  ${line}`];
  for (const form of forms) {
    const text = clean(`before ${form} after`);
    assert.match(text, /<redacted>/);
    for (const each of privateKey.split("\n").filter((part) => part.length > 30 && !part.startsWith("--")))
      assert.ok(!text.includes(each), text);
  }
  assert.equal(clean(`login with ${password}.`), "login with <redacted>.");
});

test("secrets that no state knows are found by their form", () => {
  const token = `eyJ${randomBytes(20).toString("hex")}.${randomBytes(20).toString("hex")}.${randomBytes(20).toString("hex")}`;
  const base64 = `${randomBytes(60).toString("base64")}aA1`;
  const secrets = [
    ...[token, "abcdef.0123456789abcdef", `pul-${"0a".repeat(20)}`, `ghp_${"aB3".repeat(12)}`],
    ...["-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----", base64],
  ];
  for (const secret of secrets) assert.equal(redact(`[${secret}]`), "[<redacted>]", secret);
  const assigned = { 'password: "hunter2"': 'password: "<redacted>"', "TOKEN=abcd1234": "TOKEN=<redacted>" };
  for (const [before, after] of Object.entries(assigned)) assert.equal(redact(before), after);
  assert.equal(redact("Authorization: Bearer abc"), "Authorization: Bearer <redacted>");
  assert.equal(redact("encryptionsalt: v1:abc=:v1:def:ghi="), "encryptionsalt: <redacted>");
  assert.equal(redact("proxy http://me:pass@proxy:80/"), "proxy http://***@proxy:80/");
  assert.equal(redact("-----BEGIN RSA PRIVATE KEY-----\ncut off"), "<redacted>");
});

test("what a reader of the report needs stays", () => {
  const kept = [
    `sha256:${randomBytes(32).toString("hex")}`,
    "token: 1000",
    "join timeout token=250ms",
    "/var/lib/kubelet/pods/0b6d0d4e-1b4e-4c55-8a4f-2f6f7f0f5a11/volumes/kubernetes",
    "kubeadm.service: Main process exited, code=exited, status=1/FAILURE",
    "urn:pulumi:lab::groundplane::groundplane:components:DataCenter$groundplane:index:Machine::gateway",
    "secretName: kubelet-serving",
    "https://192.168.56.10:6443/healthz?timeout=10s",
  ];
  for (const text of kept) assert.equal(redact(text), text);
});

test("the user's folders and names are replaced, the longest first", () => {
  const clean = redactor({
    secrets: [],
    folders: { "/home/ann": "~", "/home/ann/data": "<data>", "/": "no" },
    names: { ann: "<user>", "ann-laptop": "<host>" },
  });
  assert.equal(
    clean("/home/ann/data/stacks /home/ann/x /home/bob/y /home/ann-old ann on ann-laptop, annotation channel"),
    "<data>/stacks ~/x /home/<user>/y /home/<user> <user> on <host>, annotation channel",
  );
});

test("a part that fails or hangs is named, and the others are there", async () => {
  const never = new Promise<string>(() => {});
  const report = await collect(
    [
      { file: "text", read: async () => "ann's" },
      { file: "object", read: async () => ({ a: 1 }) },
      { file: "failing", read: () => Promise.reject(new Error("the machine of ann is down\n  next step: start")) },
      { file: "hanging", read: () => never },
    ],
    redactor({ ...none, names: { ann: "<user>" } }),
    30,
  );
  assert.deepEqual(report.files, { text: "<user>'s", object: '{\n  "a": 1\n}\n' });
  assert.deepEqual(report.missing, [
    { file: "failing", reason: "the machine of <user> is down\n  next step: start" },
    { file: "hanging", reason: "no answer within 0.03 s" },
  ]);
});

test("of a long log, the end is kept from the start of a line", () => {
  assert.equal(tail("short"), "short");
  assert.equal(tail("first\nsecond\nthird\n", 9), "[only the last 9 bytes]\nthird\n");
});
