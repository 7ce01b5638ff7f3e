import * as os from "node:os";
import * as path from "node:path";
import { readIfPresent, readJson } from "../../host/file-store";
import { totalMemoryMiB } from "../../host/host-capacity";
import { localHost } from "../../host/local-host";
import { projectFolder } from "../../host/project-folder";
import { runCommand } from "../../host/run-command";
import { findVBoxManage } from "../../hypervisors/choice/vboxmanage-program";
import { QEMU_PROGRAM } from "../../model/driver-requirements";
import { findPulumi } from "../../toolchain/obtain-pulumi";

/** Versions of everything that a stack depends on; what is missing says so. */
export async function versions(): Promise<unknown> {
  const [vboxManage, cli, project] = await Promise.all([
    findVBoxManage(localHost),
    findPulumi(),
    readJson<{ readonly version?: string }>(path.join(projectFolder(), "package.json")),
  ]);
  const git = (words: readonly string[]) => firstLineOf(["git", "-C", projectFolder(), ...words]);
  const [commit, changes, nspawn, qemu, virtualbox] = await Promise.all([
    ...[git(["rev-parse", "HEAD"]), git(["status", "--porcelain"])],
    ...[firstLineOf(["systemd-nspawn", "--version"]), firstLineOf([QEMU_PROGRAM, "--version"])],
    vboxManage ? firstLineOf([vboxManage, "--version"]) : "not installed",
  ]);
  const release = (await readIfPresent("/etc/os-release").catch(() => undefined)) ?? "";
  return {
    groundplane: { version: project?.version, commit, hasLocalChanges: changes !== "" },
    node: process.version,
    pulumi: cli ? { version: cli.version, from: cli.how } : "not installed",
    hypervisors: { nspawn, qemu, virtualbox },
    host: {
      ...{ platform: os.platform(), arch: os.arch(), kernel: os.release() },
      system: /^PRETTY_NAME="?(.*?)"?$/m.exec(release)?.[1] ?? "unknown",
      ...{ cores: os.availableParallelism(), memoryMiB: totalMemoryMiB(), isRoot: process.getuid?.() === 0 },
    },
  };
}

const firstLineOf = (argv: readonly string[]): Promise<string> =>
  runCommand(argv, { timeoutMs: 20_000 }).then(
    ({ stdout }) => stdout.split("\n")[0] ?? "",
    (error: Error) => `not available: ${error.message.split("\n")[0]}`,
  );
