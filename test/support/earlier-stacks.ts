import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as zlib from "node:zlib";
import type { EarlierCommit } from "./earlier-versions";
import type { ProjectCopy } from "./project-copy";

/**
 * Stacks that earlier commits created on the fake driver: state, machines and the stack's file, packed by record-earlier-stack.ts. Their
 * keys are those of no machine, and the passphrase of their states is here.
 */
export const earlierStack = {
  name: "earlier",
  passphrase: "of recorded stacks",
  /** One machine of each kind, so that every type of resource occurs. */
  file: `config:
  groundplane:dataCenter:
    driver: fake
    pools:
      balancers: {count: 1}
      masters: {count: 1}
      workers: {count: 1}
      storage: {count: 1, disks: [{name: brick, sizeGiB: 4}]}
`,
} as const;

const parts = ["state", "fake", "stacks", "disks"] as const;
/** Pulumi's copies and history, and logs. */
const left = ["history", "backups", "locks", "logs", "*.bak", "*.log"];

const fileOf = (commit: EarlierCommit): string => path.join(__dirname, "earlier-stacks", `${commit}.tar.br`);

/** Packs the stack of a data folder. */
export function packStack(commit: EarlierCommit, data: string): void {
  const reproducible = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  const present = parts.filter((part) => fs.existsSync(path.join(data, part)));
  const argv = ["--create", ...reproducible, ...left.map((name) => `--exclude=${name}`), "-C", data, ...present];
  const packed = zlib.brotliCompressSync(execFileSync("tar", argv, { maxBuffer: 2 ** 28 }));
  fs.mkdirSync(path.dirname(fileOf(commit)), { recursive: true });
  fs.writeFileSync(fileOf(commit), packed);
}

/** Puts the stack of a commit into the data folder of a project. The copy that is returned knows its passphrase. */
export function unpackStack(commit: EarlierCommit, project: ProjectCopy): ProjectCopy {
  const input = zlib.brotliDecompressSync(fs.readFileSync(fileOf(commit)));
  execFileSync("tar", ["--extract", "--no-same-owner", "--preserve-permissions", "-C", project.data], { input });
  fs.writeFileSync(project.stackFile(earlierStack.name), earlierStack.file);
  return withPassphrase(project);
}

export const withPassphrase = (project: ProjectCopy): ProjectCopy => ({
  ...project,
  environment: { ...project.environment, PULUMI_CONFIG_PASSPHRASE: earlierStack.passphrase },
});
