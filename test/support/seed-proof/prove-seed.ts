import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { load } from "js-yaml";
import { encryptionConfiguration } from "../../../cloud-init/files/kubernetes/encryption-configuration";
import { deriveHostKey } from "../../../model/derive-host-key";
import type { NodeSeed } from "../../../model/seed";
import { fillSecrets } from "../../../provider/resources/fill-secrets";

export interface Proof {
  readonly name: string;
  readonly failure: string | undefined;
}

interface WriteFile {
  readonly path: string;
  readonly permissions: string;
  readonly owner?: string;
  readonly encoding?: "b64";
  readonly content: string;
}

/**
 * Runs every program inside the root tree on its files of the seed. `layers`: folders of the tree, top first.
 * Needs root. Throws if the proof itself cannot run.
 */
export function proveSeed(seed: NodeSeed, layers: readonly string[]): readonly Proof[] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-seed-"));
  try {
    writeSeed(seed, folder);
    const said = runInTree(layers, folder, ["bash", "/seed/prove-seed.sh"]);
    return said.trim().split("\n").map(readProof);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The output of a command inside a root tree, where `folder` is /seed. Needs root. Throws if the command fails. */
export function runInTree(layers: readonly string[], folder: string, command: readonly string[]): string {
  const enter = path.join(__dirname, "enter-tree.sh");
  const argv = ["--mount", "--net", "sh", enter, layers.join(":"), folder, ...command];
  const { stdout, stderr, status } = spawnSync("unshare", argv, { encoding: "utf8", timeout: 300_000 });
  if (status !== 0) throw new Error(`${command.join(" ")} ended with exit code ${status}: ${stderr}`);
  return stdout;
}

function readProof(line: string): Proof {
  const [, not, name = "", failure] = /^(not )?ok ([^:]*)(?:: (.*))?$/.exec(line) ?? [];
  if (!name) throw new Error(`not a proof: ${line}`);
  return { name, failure: not ? failure || "it says nothing" : undefined };
}

/** Expects what js-yaml reads from the filled user-data. cloud-init reads it with PyYAML, a YAML 1.1 reader. */
function writeSeed(seed: NodeSeed, folder: string): void {
  const filled = fillSecrets(seed, sampleSecrets(seed));
  fs.writeFileSync(path.join(folder, "user-data"), filled.userData);
  fs.writeFileSync(path.join(folder, "network-config"), filled.networkConfig);
  for (const name of ["prove-seed.sh", "write-files.py"]) {
    fs.copyFileSync(path.join(__dirname, name), path.join(folder, name));
  }
  const { write_files } = load(filled.userData) as { readonly write_files: readonly WriteFile[] };
  for (const file of write_files) {
    const target = path.join(folder, "expected", file.path);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, Buffer.from(file.content, file.encoding === "b64" ? "base64" : "utf8"));
  }
  const modes = write_files.map(({ permissions, owner, path }) => `${permissions} ${owner ?? "root:root"} ${path}\n`);
  fs.writeFileSync(path.join(folder, "expected.modes"), modes.join(""));
}

function sampleCertificate(): { readonly certificate: string; readonly key: string } {
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "-"];
  const { stdout } = spawnSync("openssl", ["req", "-x509", "-subj", "/CN=sample", ...kind], { encoding: "utf8" });
  const start = stdout.indexOf("-----BEGIN CERTIFICATE-----");
  return { certificate: stdout.slice(start), key: stdout.slice(0, start) };
}

/** Valid where a program checks the format. All other secrets are arbitrary multi-line texts. */
function sampleSecrets(seed: NodeSeed): Record<string, string> {
  const hostKey = deriveHostKey("ab".repeat(32), seed.node);
  const { certificate, key } = sampleCertificate();
  const known: Readonly<Record<string, string>> = {
    "kubernetes-ca-hash": `sha256:${"0123456789abcdef".repeat(4)}`,
    "encryption-configuration": encryptionConfiguration([
      { name: "key1", secret: Buffer.alloc(32, 7).toString("base64") },
    ]),
    "corosync-key": "0123456789abcdef".repeat(16),
    "authorized-keys.pub": `${hostKey.publicKey} groundplane\n`,
    [`ssh-host-key:${seed.node}`]: hostKey.privateKey,
    "etcd-client.key": key,
  };
  const arbitrary = (name: string): string => `-----BEGIN ${name}-----\nno: 0755\n`;
  // Balancers read certificates.
  const sample = (name: string): string => (/\.(?:crt|pem)$/.test(name) ? certificate : arbitrary(name));
  return Object.fromEntries(seed.secrets.map((name) => [name, known[name] ?? sample(name)]));
}
