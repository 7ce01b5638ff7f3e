import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { ProjectCopy } from "./project-copy";

const projectFolder = path.resolve(__dirname, "..", "..");

/** Commits whose stacks this code takes over, oldest first. Each needs only images that this code uses as well. */
export const earlierCommits = {
  a3aa03e9: "before releases, rolls of masters, snapshots, upgrades and rotations of keys",
  ecc18e46: "version 0.1.0, with another default release and no record of the one that a stack runs",
} as const;

export type EarlierCommit = keyof typeof earlierCommits;

const git = (words: readonly string[]) =>
  execFileSync("git", words, { cwd: projectFolder, maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "ignore"] });

/** Undefined if the commit can be checked out here. */
export function historySkipReason(commit: EarlierCommit): string | undefined {
  try {
    git(["cat-file", "-e", `${commit}^{commit}`]);
    return undefined;
  } catch {
    return `the history does not reach back to ${commit}: a shallow clone or a copy`;
  }
}

/** The project as it was at a commit, beside a copy of today's and with the same data folder. It is removed with that copy. */
export function earlierProject(commit: EarlierCommit, today: ProjectCopy): ProjectCopy {
  const folder = path.join(path.dirname(today.folder), `project-${commit}`);
  fs.mkdirSync(folder);
  execFileSync("tar", ["--extract", "--directory", folder], { input: git(["archive", "--format=tar", commit]) });
  const lockFile = (project: string) => fs.readFileSync(path.join(project, "package-lock.json"), "utf8");
  if (lockFile(folder) === lockFile(projectFolder))
    fs.symlinkSync(path.join(projectFolder, "node_modules"), path.join(folder, "node_modules"));
  else execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, stdio: "ignore" });
  execFileSync(process.execPath, ["build.cjs"], { cwd: folder });
  return { ...today, folder, stackFile: (stack) => path.join(folder, "stacks", `Pulumi.${stack}.yaml`) };
}
