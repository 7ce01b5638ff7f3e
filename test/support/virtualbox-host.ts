import { type ExecFileException, execFile } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { processStartTime } from "../../host/process-state";
import { killProcess } from "../../host/start-process";
import { bootSectorDisk } from "../../hypervisors/boot-sector";
import { failureOf, type Reply } from "../../hypervisors/virtualbox/known-issues";
import { entriesBelow } from "./folder-contents";
import { onSignal } from "./on-signal";
import type { VirtualboxRoot } from "./virtualbox-root";

const run = promisify(execFile);

/** The output of the test guest on its console. */
export const BOOT_MESSAGE = "BOOT-OK";

/** A private VirtualBox for a test. Its programs, registry and data folder are not shared. */
export interface VirtualboxHost {
  readonly root: VirtualboxRoot;
  /** GROUNDPLANE_DATA while this host is in use. */
  readonly data: string;
  /** Path of the program: GROUNDPLANE_VBOXMANAGE while this host is in use. */
  readonly vboxManage: string;
  /** The environment for other processes that use this host. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Writes another VBoxManage for tests that disturb a driver, and returns its path. It is a shell script in which
   * `$vboxmanage` runs the real program.
   */
  disturbed(script: string): string;
  /** Runs VBoxManage and returns its output. A printed error is an error with any exit code. */
  manage(...argv: string[]): Promise<string>;
  /** Adds a sealed image, a disk with the boot-sector guest, to a data folder's image store. Returns its digest. */
  addImage(name: string, data?: string): string;
  /** The arguments of every call of VBoxManage since the last `forgetCalls`, without this interface's calls. */
  calls(): readonly string[];
  forgetCalls(): void;
  /** Everything that belongs to these stacks: registered machines and media, and files. */
  traces(stacks: readonly string[]): Promise<readonly string[]>;
  /** Processes of this host: VBoxSVC, machines, calls. */
  pids(): readonly number[];
  /** Ends all processes of this host and removes its folders. */
  close(): Promise<void>;
}

/** Switches this process and its children to a new VirtualBox and a new data folder. */
export function makeVirtualboxHost(root: VirtualboxRoot): VirtualboxHost {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gp-virtualbox-"));
  const data = path.join(folder, "data");
  // Temporary folders have the same path on the host and inside the tree.
  fs.mkdirSync(path.join(root.folder, os.tmpdir()), { recursive: true });
  fs.mkdirSync(path.join(data, "images"), { recursive: true });
  const registry = path.join(folder, "registry");
  const id = path.basename(folder);
  const callLog = path.join(folder, "calls.log");
  const enter = enterCommand(root, { folder, registry, id });
  const own = writeProgram(path.join(folder, "bench", "VBoxManage"), `exec ${enter} "$@"\n`);
  let disturbances = 0;
  const vboxManage = writeProgram(
    path.join(folder, "VBoxManage"),
    `printf '%s\\n' "$*" >>${callLog}\nexec ${enter} "$@"\n`,
  );
  const environment = { GROUNDPLANE_DATA: data, GROUNDPLANE_VBOXMANAGE: vboxManage, VBOX_USER_HOME: registry };
  Object.assign(process.env, environment);
  const close = async () => {
    keepOnSignal();
    // Machines first, because VBoxSVC reports their end.
    for (let pids = processesOf(id); pids.length > 0; pids = processesOf(id)) {
      await Promise.all(pids.map((pid) => killProcess({ pid, startTime: processStartTime(pid) ?? "0" })));
    }
    fs.rmSync(folder, { recursive: true, force: true });
    fs.rmSync(path.join(root.folder, "tmp", `.vbox-${id}-ipc`), { recursive: true, force: true });
    fs.rmSync(path.join(os.tmpdir(), `.vbox-${id}-ipc`), { recursive: true, force: true });
  };
  const keepOnSignal = onSignal(close);
  return {
    ...{ root, data, vboxManage, environment },
    disturbed: (script) =>
      writeProgram(
        path.join(folder, `disturbed-${++disturbances}`, "VBoxManage"),
        `vboxmanage="${enter}"\n${script}\n`,
      ),
    manage: (...argv) => manage(own, argv),
    traces: (stacks) => tracesOf((...argv) => manage(own, argv), data, stacks),
    addImage: (name, into = data) => writeBootImage(path.join(into, "images", name), name),
    calls: () => (fs.existsSync(callLog) ? fs.readFileSync(callLog, "utf8").split("\n").filter(Boolean) : []),
    forgetCalls: () => fs.rmSync(callLog, { force: true }),
    pids: () => processesOf(id),
    close,
  };
}

/** The shell command that runs VBoxManage in the tree, with its own registry and server process. */
function enterCommand(root: VirtualboxRoot, host: { folder: string; registry: string; id: string }): string {
  const environment = {
    ...{ HOME: host.folder, USER: "root", LOGNAME: "root", LC_ALL: "C.UTF-8", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    ...{ VBOX_USER_HOME: host.registry, VBOX_IPC_SOCKETID: host.id, LD_PRELOAD: root.preload },
  };
  // The runner's mark, by which it ends processes that a killed test file leaves behind.
  const mark = process.env.GROUNDPLANE_TEST_FILE;
  const variables = Object.entries({ ...environment, ...(mark && { GROUNDPLANE_TEST_FILE: mark }) }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const words = [root.enterRoot, root.folder, os.tmpdir(), root.launcher, "/usr/lib/virtualbox/VBoxManage"];
  return ["env", "-i", ...variables, ...words].join(" ");
}

function writeProgram(file: string, script: string): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\n${script}`, { mode: 0o755 });
  return file;
}

async function manage(program: string, argv: readonly string[]): Promise<string> {
  for (let tries = 1; ; tries++) {
    const reply = await once(program, argv);
    const failure = failureOf(argv, reply);
    if (failure === undefined) return reply.stdout;
    if (tries > 1 && refusals[argv[0] ?? ""]?.test(failure.reply.stderr)) return "";
    // As the driver does: VBoxManage also fails at random while VBoxSVC starts or ends. Each call takes another snapshot.
    if (tries === 6 || failure.retry !== "always" || argv[0] === "snapshot") throw failure;
    await sleep(500);
  }
}

/** How VBoxManage refuses a change that took effect before the earlier call failed. */
const refusals: Readonly<Record<string, RegExp>> = {
  createvm: /already exists/,
  unregistervm: /Could not find a registered machine/,
  storagectl: /already exists/,
  storageattach: /No storage device attached/,
  createmedium: /VERR_ALREADY_EXISTS|extended info not available/,
  modifyvm: /A NAT rule of this name already exists|RemoveRedirect/,
  controlvm: /A NAT rule of this name already exists|RemoveRedirect|Already paused|is not paused|not currently running/,
  startvm: /already locked by a session/,
};

async function once(program: string, argv: readonly string[]): Promise<Reply> {
  try {
    return { exitCode: 0, signal: null, ...(await run(program, argv, { maxBuffer: 2 ** 26 })) };
  } catch (error) {
    const { code, signal, stdout, stderr } = error as ExecFileException & { stdout: string; stderr: string };
    if (typeof code !== "number" && !signal) throw error;
    return { exitCode: typeof code === "number" ? code : null, signal: signal ?? null, stdout, stderr };
  }
}

async function tracesOf(
  manage: VirtualboxHost["manage"],
  data: string,
  stacks: readonly string[],
): Promise<readonly string[]> {
  const lines: string[] = [];
  // One call at a time, as for all callers, because concurrent calls may crash VBoxSVC.
  for (const what of ["vms", "hdds", "dvds"]) {
    lines.push(...(await manage("list", what)).split("\n").map((line) => `${what}: ${line}`));
  }
  return [...lines, ...entriesBelow(data)].filter((line) => stacks.some((stack) => line.includes(stack)));
}

function writeBootImage(folder: string, name: string): string {
  const disk = bootSectorDisk(BOOT_MESSAGE);
  // Images of different names also have different digests.
  disk.write(name, 512, "latin1");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "disk.raw"), disk);
  const digest = `sha256:${createHash("sha256").update(disk).digest("hex")}`;
  const record = { name, digest, form: "disk", sizeBytes: disk.length, createdFrom: "a boot sector" };
  fs.writeFileSync(path.join(folder, "image.json"), JSON.stringify(record));
  return digest;
}

/** Finds the processes by the id in their environment, which no other process has. */
function processesOf(id: string): readonly number[] {
  return fs.readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      const environment = fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      return environment.includes(`VBOX_IPC_SOCKETID=${id}`) ? [pid] : [];
    } catch {
      return []; // the process has just ended
    }
  });
}
