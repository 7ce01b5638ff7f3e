import * as os from "node:os";
import type { CommandError } from "../model/commands";
import type { NamespaceProblem } from "../model/host";
import { currentUser } from "./file-access";
import { readIfPresent } from "./file-store";
import { findProgram } from "./host-capacity";
import { readKernelFile } from "./kernel-files";
import { runCommand } from "./run-command";

const mountsAndProcesses = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];

/** Prefix for a command of root: private mounts and processes, which always end with the command. */
export const ownNamespaces: readonly string[] = ["unshare", ...mountsAndProcesses];

/**
 * Prefix for a command of an ordinary user, who becomes root of a user namespace. Other owners of files are mapped to
 * the user's subordinate ids. Mounts and processes end with the command.
 */
export const asNamespaceRoot: readonly string[] = [
  ...["unshare", "--user", "--map-auto", "--map-root-user"],
  ...mountsAndProcesses,
];

/** The first kernel that can mount overlays in a user namespace. */
const OLDEST_KERNEL = [5, 11] as const;
const PROBE_TIMEOUT_MS = 10_000;

/** Creates a namespace as a test, because many settings can forbid it; `undefined` if it works. */
export async function namespaceProblem(): Promise<NamespaceProblem | undefined> {
  const [major = 0, minor = 0] = os.release().split(".").map(Number);
  if (major < OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor < OLDEST_KERNEL[1])) {
    return { problem: `Linux ${os.release()} is older than ${OLDEST_KERNEL.join(".")}`, hint: "use a newer kernel" };
  }
  // The mount is part of the test, because AppArmor can permit the namespace but refuse mounts in it.
  const refusal = await refusalOf([...asNamespaceRoot, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
  if (refusal === undefined) return undefined;
  const user = currentUser();
  // `unshare` stops at the first obstacle, and it looks for subordinate ids before it tries whether they help.
  const plain = await refusalOf(["unshare", "--user", "--map-root-user", "true"]);
  const found = [
    ...(plain === undefined ? [] : [explainRefusal(plain, user)]),
    ...((await findProgram("newuidmap")) ? [] : [noProgram]),
    ...((await hasSubordinateIds(user)) ? [] : [noSubordinateIds(user)]),
  ];
  return joinProblems(found.length > 0 ? found : [explainRefusal(refusal, user)]);
}

/** What a command of a namespace reports when it fails. */
async function refusalOf(argv: readonly string[]): Promise<string | undefined> {
  return runCommand(argv, { timeoutMs: PROBE_TIMEOUT_MS, env: { LC_ALL: "C" } }).then(
    () => undefined,
    (error: CommandError) => error.stderr || error.message,
  );
}

async function hasSubordinateIds(user: string): Promise<boolean> {
  const files = await Promise.all(["/etc/subuid", "/etc/subgid"].map(readIfPresent));
  const own = [`${user}:`, `${process.getuid?.()}:`];
  return files.every((text) => (text ?? "").split("\n").some((line) => own.some((name) => line.startsWith(name))));
}

/** Several problems as one, so that all of them can be solved at once. Pure. */
export const joinProblems = (problems: readonly NamespaceProblem[]): NamespaceProblem => ({
  problem: problems.map(({ problem }) => problem).join(", and "),
  hint: problems.map(({ hint }) => hint).join("; "),
});

const noProgram: NamespaceProblem = { problem: "newuidmap is not installed", hint: "sudo apt-get install uidmap" };

const noSubordinateIds = (user: string): NamespaceProblem => ({
  problem: `${user} has no subordinate ids`,
  hint: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`,
});

/** Interprets error messages of `unshare`, `newuidmap` and `mount`. Pure. */
export function explainRefusal(said: string, user: string): NamespaceProblem {
  const { problem: lacking, hint: adding } = noSubordinateIds(user);
  const cases: readonly (readonly [RegExp, string, string])[] = [
    [/ENOENT|unrecognized option/, "unshare of util-linux 2.38 or later is not installed", "update util-linux"],
    // With a folder in PATH that the user cannot read, a missing program is "Permission denied".
    [/new[ug]idmap.*(?:No such file|not found|Permission denied)/i, noProgram.problem, noProgram.hint],
    [/\/etc\/sub[ug]id/, lacking, adding],
    [
      /unshare failed: No space left/,
      "this host allows no user namespaces",
      "sudo sysctl -w user.max_user_namespaces=15000",
    ],
    [
      /unshare failed|propagation|(?:mount|uid_map).*(?:permission denied|not permitted)/is,
      "this host does not allow user namespaces for ordinary users",
      "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu) or kernel.unprivileged_userns_clone=1 (Debian)",
    ],
  ];
  for (const [pattern, problem, hint] of cases) if (pattern.test(said)) return { problem, hint };
  return { problem: `a user namespace cannot be created: ${said.trim()}`, hint: "read the kernel's message" };
}

/** Whether this process is root only in a user namespace: no device nodes, and a different kind of overlays. */
export async function isInUserNamespace(): Promise<boolean> {
  const map = (await readKernelFile("/proc/self/uid_map")) ?? "";
  return map !== "" && !/^\s*0\s+0\s+4294967295\s*$/.test(map);
}
