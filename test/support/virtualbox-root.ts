import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { toolsFolder } from "../../host/data-folder";
import { withFileLock } from "../../host/file-lock";
import { localHost } from "../../host/local-host";
import { runCommand } from "../../host/run-command";
import { aptFetchOptions, debianMirror } from "../../image/build/package-sources";
import { archives } from "../../image/recipes/archives";
import { replaceFolder } from "../../image/store/replace-folder";

/**
 * VirtualBox's own programs in a root tree of Debian sid, the only release that packages them. Small programs of the
 * tests enter the tree and start machines without the kernel module.
 */
export interface VirtualboxRoot {
  readonly folder: string;
  /** Path on the host of the program that runs another program inside the tree. */
  readonly enterRoot: string;
  /** Path on the host of the program that replaces VBoxHeadless inside the tree. */
  readonly launcher: string;
  /** Path inside the tree of a library that VBoxManage loads before its own. */
  readonly preload: string;
}

/** Includes a compiler, so that programs match the tree's release and the host needs no compiler. */
const packages = ["virtualbox", "gcc", "libc6-dev"];
const programs = { "enter-root": ["-static"], "driverless-launcher": [], "no-idle-wait": ["-shared", "-fPIC"] };
const BUILD_TIMEOUT_MS = 15 * 60_000;

/** Why VirtualBox's programs are not available here. `false` = they are, if Debian's archive can be reached. */
export function virtualboxSkipReason(): string | false {
  if (process.platform !== "linux" || process.arch !== "x64")
    return "VirtualBox's programs for Debian need Linux on x86-64";
  if (process.getuid?.() !== 0) return "a root tree with VirtualBox's programs needs root";
  const installed = process.env.PATH?.split(":").some((folder) => fs.existsSync(path.join(folder, "mmdebstrap")));
  return installed ? false : "mmdebstrap is not installed: apt-get install mmdebstrap";
}

/**
 * Returns the tree. The first call on a host installs it, which takes about a minute.
 * @returns the reason as text if Debian's archive cannot be reached
 */
export async function obtainVirtualboxRoot(): Promise<VirtualboxRoot | string> {
  const reason = virtualboxSkipReason();
  if (reason) return reason;
  const folder = path.join(toolsFolder(), "virtualbox-sid");
  return withFileLock(
    folder,
    async () => {
      const problem = fs.existsSync(folder) ? undefined : await install(folder);
      return problem ?? compilePrograms(folder);
    },
    { timeoutMs: BUILD_TIMEOUT_MS },
  );
}

async function install(folder: string): Promise<string | undefined> {
  console.log(`installing VirtualBox's programs into ${folder}: about a minute, once`);
  const aptOptions = `${folder}.apt.conf`;
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  // sid's release file expires after a week, and mirrors may be older.
  const options = [...(await aptFetchOptions(localHost)), 'Acquire::Check-Valid-Until "false";'];
  fs.writeFileSync(aptOptions, ['APT::Install-Recommends "false";', ...options, ""].join("\n"), { mode: 0o600 });
  const source = `deb ${await debianMirror(localHost)} sid main contrib`;
  const installInto = (partial: string) =>
    runCommand(
      [
        ...["mmdebstrap", "--mode=root", "--variant=apt", "--format=directory", `--keyring=${archives.debian.keyring}`],
        ...[`--include=${packages.join(",")}`, `--aptopt=${aptOptions}`],
        ...["man", "doc", "locale"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
        ...["sid", partial, source],
      ],
      { timeoutMs: BUILD_TIMEOUT_MS },
    );
  try {
    // It also ends the mounts that a killed installation left.
    await replaceFolder(folder, "VirtualBox", "", { host: localHost, progress: () => {} }, installInto);
    return undefined;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const unreachable = /Could not (resolve|connect)|Temporary failure resolving|Failed to fetch|Connection/i.exec(
      said,
    );
    if (!unreachable) throw error;
    return `Debian's archive cannot be reached: ${unreachable[0]}`;
  } finally {
    fs.rmSync(aptOptions, { force: true });
  }
}

/** The folder is named after the sources: changed sources are compiled again, and running processes keep the old files. */
async function compilePrograms(folder: string): Promise<VirtualboxRoot> {
  const sources = path.join(__dirname, "virtualbox");
  const hash = createHash("sha256");
  for (const name of Object.keys(programs)) hash.update(fs.readFileSync(path.join(sources, `${name}.c`)));
  const inside = `/opt/groundplane/${hash.digest("hex").slice(0, 12)}`;
  const outside = path.join(folder, inside);
  if (!fs.existsSync(outside)) {
    const partial = `${outside}.partial`;
    fs.mkdirSync(partial, { recursive: true });
    for (const [name, options] of Object.entries(programs)) {
      fs.copyFileSync(path.join(sources, `${name}.c`), path.join(partial, `${name}.c`));
      const file = `${inside}.partial/${name}`;
      await runCommand([
        "chroot",
        folder,
        "gcc",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        ...options,
        "-o",
        file,
        `${file}.c`,
      ]);
    }
    fs.renameSync(partial, outside);
  }
  return {
    folder,
    enterRoot: path.join(outside, "enter-root"),
    launcher: path.join(outside, "driverless-launcher"),
    preload: `${inside}/no-idle-wait`,
  };
}
