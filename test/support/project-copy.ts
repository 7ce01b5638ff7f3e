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

/** @param name of the folder above project and data */
export function copyProject(hostData: string, name = ""): ProjectCopy {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const folder = path.join(root, name, "project");
  const data = path.join(root, name, "data");
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: projectFolder,
    encoding: "utf8",
  });
  for (const file of listed.split("\0").filter(Boolean)) {
    if (file.startsWith("test/")) continue;
    const source = path.join(projectFolder, file);
    if (!fs.existsSync(source)) continue;
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.copyFileSync(source, path.join(folder, file));
  }
  fs.symlinkSync(path.join(projectFolder, "node_modules"), path.join(folder, "node_modules"));
  execFileSync(process.execPath, ["build.cjs"], { cwd: folder });
  fs.mkdirSync(data, { recursive: true, mode: 0o700 });
  for (const shared of sharedFolders) {
    fs.mkdirSync(path.join(hostData, shared), { recursive: true });
    fs.symlinkSync(path.join(hostData, shared), path.join(data, shared));
  }
  return {
    folder,
    data,
    environment: { ...process.env, GROUNDPLANE_DATA: data, CI: "true" },
    stackFile: (stack) => path.join(folder, "stacks", `Pulumi.${stack}.yaml`),
    remove: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}
