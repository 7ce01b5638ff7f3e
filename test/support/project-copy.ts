import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const projectFolder = path.resolve(__dirname, "..", "..");

/** A copy of the project, because tests change stack files and must never change those of the checkout. */
export interface ProjectCopy {
  readonly folder: string;
  /** GROUNDPLANE_DATA of the copy: empty except for symbolic links to the host's images, parts and tools. */
  readonly data: string;
  readonly environment: NodeJS.ProcessEnv;
  stackFile(stack: string): string;
  remove(): void;
}

/** Cache folders in the data folder, which all projects on the host share. */
const sharedFolders = ["images", "parts", "tools"] as const;

/** Builds the programs only if those of the checkout are older than its sources, because a build costs seconds. */
function copyOrBuildPrograms(sources: readonly string[], folder: string): void {
  const built = path.join(projectFolder, "dist");
  // Tests have programs of their own there.
  const programs = (fs.existsSync(built) ? fs.readdirSync(built) : []).filter((name) => !name.startsWith("test-"));
  const timeOf = (file: string) => fs.statSync(file).mtimeMs;
  const oldest = Math.min(...programs.map((name) => timeOf(path.join(built, name))));
  const isCurrent =
    programs.includes("program.js") && sources.every((file) => timeOf(path.join(projectFolder, file)) < oldest);
  if (!isCurrent) return void execFileSync(process.execPath, ["build.cjs"], { cwd: folder });
  for (const name of programs) copyWithTime(path.join(built, name), path.join(folder, "dist", name));
}

/** Pulumi's program is built again if the time of a source differs. */
function copyWithTime(from: string, to: string): void {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
  const { atime, mtimeMs } = fs.statSync(from);
  fs.utimesSync(to, atime, mtimeMs / 1000);
}

/** @param name of the folder above project and data */
export function copyProject(hostData: string, name = ""): ProjectCopy {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const folder = path.join(root, name, "project");
  const data = path.join(root, name, "data");
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: projectFolder,
    encoding: "utf8",
  });
  const sources = listed
    .split("\0")
    .filter((file) => file !== "" && !file.startsWith("test/") && fs.existsSync(path.join(projectFolder, file)));
  for (const file of sources) copyWithTime(path.join(projectFolder, file), path.join(folder, file));
  fs.symlinkSync(path.join(projectFolder, "node_modules"), path.join(folder, "node_modules"));
  copyOrBuildPrograms(sources, folder);
  fs.mkdirSync(data, { recursive: true, mode: 0o700 });
  for (const shared of sharedFolders) {
    fs.mkdirSync(path.join(hostData, shared), { recursive: true });
    fs.symlinkSync(path.join(hostData, shared), path.join(data, shared));
  }
  return {
    folder,
    data,
    // With FORCE_COLOR of the caller, commands would colour the texts that tests read.
    environment: { ...process.env, GROUNDPLANE_DATA: data, CI: "true", FORCE_COLOR: undefined },
    stackFile: (stack) => path.join(folder, "stacks", `Pulumi.${stack}.yaml`),
    remove: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}
