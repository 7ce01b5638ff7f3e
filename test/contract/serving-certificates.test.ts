import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { approverObjects, approverUser } from "../../cloud-init/files/kubernetes/approver-objects";

/** The masters' approver of kubelets' serving certificates: its rules, its identity, and its decisions in the API. */

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-approver-"));
after(() => fs.rmSync(folder, { recursive: true }));
const scripts = path.join(__dirname, "../../cloud-init/scripts/kubernetes");
const inFolder = (name: string): string => path.join(folder, name);
fs.writeFileSync(inFolder("planned-nodes"), "master-1 192.168.57.11 master\nworker-1 192.168.58.11 worker\n");

interface Wanted {
  readonly subject?: string;
  readonly names?: string;
  readonly requester?: string;
  readonly usages?: string;
}

const planned = { subject: "/O=system:nodes/CN=system:node:worker-1", names: "DNS:worker-1,IP:192.168.58.11" };
const kubeletUsages = "digital signature,server auth";

function makeRequest({ subject = planned.subject, names = planned.names }: Wanted): string {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", inFolder("key.pem")];
  const extension = names === "" ? [] : ["-addext", `subjectAltName=${names}`];
  return execFileSync("openssl", ["req", "-new", ...key, "-subj", subject, ...extension], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function check(wanted: Wanted, request = makeRequest(wanted)): { readonly code: number | null; readonly said: string } {
  const { requester = "system:node:worker-1", usages = kubeletUsages } = wanted;
  const argv = [path.join(scripts, "check-serving-request.sh"), requester, usages, inFolder("planned-nodes")];
  const { status, stdout } = spawnSync("bash", argv, { input: request, encoding: "utf8" });
  return { code: status, said: stdout.trim() };
}

test("the request of a planned node for its own name and address is valid", () => {
  assert.deepEqual(check({}), { code: 0, said: "" });
  assert.equal(check({ usages: "digital signature,key encipherment,server auth" }).code, 0);
});

const refusals: readonly (readonly [string, Wanted, RegExp])[] = [
  ["a requester that is no node", { requester: "system:serviceaccount:default:web" }, /requester is no node/],
  [
    "a node that asks for another node",
    { requester: "system:node:master-1" },
    /the subject is CN=system:node:worker-1/,
  ],
  ["a subject in another group", { subject: "/O=system:masters/CN=system:node:worker-1" }, /the subject is/],
  ["a subject with an additional group", { subject: `/O=system:masters${planned.subject}` }, /the subject is/],
  ["a usage that clients have", { usages: "client auth,digital signature" }, /usages client auth/],
  ["no usage of servers", { usages: "digital signature" }, /asks for the usages digital signature/],
  ["another name", { names: "DNS:api.lab.internal,IP:192.168.58.11" }, /names something else/],
  ["an additional name", { names: `${planned.names},DNS:kubernetes` }, /names something else/],
  ["another address", { names: "DNS:worker-1,IP:192.168.56.10" }, /names something else/],
  ["an additional address", { names: `${planned.names},IP:192.168.56.10` }, /names something else/],
  ["no name at all", { names: "" }, /names something else/],
  [
    "a second name behind a line break",
    { names: "DNS:worker-1\nDNS:x,IP:192.168.58.11" },
    /names something else|not a/,
  ],
];
for (const [what, wanted, reason] of refusals) {
  test(`${what} is refused`, () => {
    const request = wanted.names?.includes("\n") ? hidesName() : makeRequest(wanted);
    const { code, said } = check(wanted, request);
    assert.equal(code, 1);
    assert.match(said, reason);
  });
}

/** A DNS name that contains a line break, which openssl's printed form shows as two names. */
function hidesName(): string {
  const name = Buffer.from("worker-1\nDNS:x").toString("hex");
  const der = `30${(Buffer.byteLength(name) / 2 + 8).toString(16).padStart(2, "0")}82${(name.length / 2).toString(16).padStart(2, "0")}${name}8704c0a83a0b`;
  const config = `[req]\ndistinguished_name=d\nreq_extensions=e\n[d]\n[e]\n2.5.29.17=DER:${der}\n`;
  fs.writeFileSync(inFolder("request.conf"), config);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", inFolder("key.pem")];
  return execFileSync(
    "openssl",
    ["req", "-new", ...key, "-subj", planned.subject, "-config", inFolder("request.conf")],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
}

test("a text that is no request, and a request whose signature is not from its key, are refused", () => {
  assert.match(check({}, "nonsense\n").said, /not a certificate request/);
  const der = Buffer.from(makeRequest({}).replace(/-----[^-]+-----|\s/g, ""), "base64");
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.match(check({}, forged).said, /signature is not from its key/);
});

test("a node that is not planned waits, because it may be planned later", () => {
  const wanted = { subject: "/O=system:nodes/CN=system:node:worker-9", requester: "system:node:worker-9" };
  assert.deepEqual(check(wanted), { code: 3, said: "worker-9 is not in the plan" });
});

test("the approver's identity is a short-lived client certificate, and its role allows only its decisions", () => {
  const pki = inFolder("pki");
  const runtime = inFolder("runtime");
  for (const made of [pki, runtime]) fs.mkdirSync(made);
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    path.join(pki, "ca.key"),
  ];
  const authority = ["req", "-x509", ...key, "-subj", "/CN=kubernetes-ca", "-out", path.join(pki, "ca.crt")];
  execFileSync("openssl", authority, { stdio: "ignore" });
  runScript("approver-identity", { RUNTIME_DIRECTORY: runtime, PKI_FOLDER: pki });
  const certificate = new X509Certificate(fs.readFileSync(path.join(runtime, "client.crt")));
  assert.equal(certificate.subject, `CN=${approverUser}`);
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
  assert.ok(Date.parse(certificate.validTo) - Date.now() <= 86_400_000);
  assert.deepEqual(fs.readdirSync(runtime).sort(), ["ca.crt", "client.crt", "client.key"]);
  assert.equal(fs.statSync(path.join(runtime, "client.key")).mode & 0o777, 0o600);
  const rules = approverObjects.flatMap(({ rules = [] }) => rules as { resources: string[]; verbs: string[] }[]);
  assert.deepEqual(
    rules.map(({ resources, verbs }) => `${verbs} ${resources}`),
    ["list,watch certificatesigningrequests", "patch certificatesigningrequests/approval", "approve signers"],
  );
});

/** Runs a guest's script with its settings and commands in the test's folder. */
function runScript(name: string, environment: Readonly<Record<string, string>>): string {
  const settings = {
    ...{ NODE_NAME: "master-1", NODE_ADDRESS: "192.168.57.11", API_PORT: "6443", MASTER_NAMES: "master-1 master-2" },
    ...{ PLANNED_NODES: inFolder("planned-nodes"), APPROVER_USER: approverUser },
  };
  const commands = inFolder("commands");
  fs.mkdirSync(commands, { recursive: true });
  const text = Object.entries(settings).map(([key, value]) => `${key}="${value}"\n`);
  fs.writeFileSync(inFolder("node.env"), text.join(""));
  for (const each of [name, "check-serving-request"]) {
    const script = fs.readFileSync(path.join(scripts, `${each}.sh`), "utf8");
    const local = script.replaceAll("/etc/groundplane/node.env", inFolder("node.env"));
    fs.writeFileSync(path.join(commands, each), local, { mode: 0o755 });
  }
  const env = { PATH: `${inFolder("bin")}:${process.env.PATH}`, ...environment };
  const { status, stdout, stderr } = spawnSync("bash", [path.join(commands, name)], { env, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

test("the approver approves what is valid, denies what is not with the reason, and leaves decided requests alone", () => {
  const request = (name: string, wanted: Wanted, conditions?: object[]) => ({
    metadata: { name, resourceVersion: `of ${name}` },
    spec: {
      request: Buffer.from(makeRequest(wanted)).toString("base64"),
      username: wanted.requester ?? "system:node:worker-1",
      usages: ["server auth", "digital signature"],
    },
    status: conditions ? { conditions } : {},
  });
  const unplanned = { subject: "/O=system:nodes/CN=system:node:worker-9", requester: "system:node:worker-9" };
  const items = [
    request("valid", {}),
    request("decided", {}, [{ type: "Denied" }]),
    request("foreign", { requester: "mallory\tx" }),
    request("unplanned", unplanned),
  ];
  fs.writeFileSync(inFolder("list"), JSON.stringify({ items }));
  fs.mkdirSync(inFolder("bin"));
  // Answers a watch with one event, a list with the requests, and notes patches.
  const curl = `#!/bin/bash
url=\${!#}
case "$*" in
  *watch=1*) echo '{"type":"ADDED","object":{}}'; echo '{"type":"BOOKMARK"}' ;;
  *PATCH*) echo "\${url##*/certificatesigningrequests/} $(cat)" | tr -d '\\n' >>${inFolder("patches")}; echo >>${inFolder("patches")} ;;
  *) cat ${inFolder("list")} ;;
esac
`;
  fs.writeFileSync(path.join(inFolder("bin"), "curl"), curl, { mode: 0o755 });
  const said = runScript("approve-serving-certificates", { RUNTIME_DIRECTORY: folder });
  const patches = fs.readFileSync(inFolder("patches"), "utf8").trim().split("\n");
  const decisions = patches.map((line) => {
    const [target = ""] = line.split(" ", 1);
    const { metadata, status } = JSON.parse(line.slice(target.length));
    const [{ type, reason, message }] = status.conditions;
    return [target, metadata.resourceVersion, type, reason, message];
  });
  assert.deepEqual(decisions, [
    ["valid/approval", "of valid", "Approved", "AsPlanned", "the serving certificate of a planned node"],
    ["foreign/approval", "of foreign", "Denied", "NotAsPlanned", "the requester is no node"],
  ]);
  assert.match(said, /left pending: unplanned of system:node:worker-9: worker-9 is not in the plan/);
});
