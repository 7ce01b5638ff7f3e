import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** Everything on the host that a stack can leave behind, by kind, one line for each entry. */
export type HostListing = Readonly<Record<string, readonly string[]>>;

/**
 * Processes, mounts, namespaces, links, cgroups and kernel settings of the host, and the files of a data folder. Where
 * other programs also change the host, only entries with groundplane's marks are listed.
 */
export function listHost(data: string): HostListing {
  return {
    processes: processes(data),
    mounts: lines(fs.readFileSync("/proc/self/mountinfo", "utf8")).map((line) => line.split(" ").slice(3).join(" ")),
    namespaces: entries("/run/netns"),
    links: lines(execFileSync("ip", ["-brief", "link"], { encoding: "utf8" })).map(
      (line) => line.split(/\s+/)[0] ?? "",
    ),
    cgroups: cgroups(),
    propagation: entries("/run/systemd/nspawn/propagate"),
    kernel: ["fs.inotify.max_user_instances", "fs.inotify.max_user_watches", "net.ipv4.ip_forward"].map(
      (key) => `${key}=${fs.readFileSync(path.join("/proc/sys", ...key.split(".")), "utf8").trim()}`,
    ),
    files: files(data),
  };
}

/**
 * New entries of `after`, and changed kernel settings. Empty means that nothing was left. Missing entries are not
 * reported, because they belonged to another process that cleaned up meanwhile.
 */
export function compareListings(before: HostListing, after: HostListing): string[] {
  return Object.keys(after).flatMap((kind) => {
    const had = new Set(before[kind]);
    return (after[kind] ?? []).filter((entry) => !had.has(entry)).map((entry) => `new ${kind}: ${entry}`);
  });
}

const lines = (text: string): string[] => text.split("\n").filter(Boolean).sort();
const entries = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder).sort() : []);

/** Processes of machines and their helpers. Their command lines name groundplane's objects or the data folder. */
function processes(data: string): string[] {
  const found: string[] = [];
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (isOfOtherFile(pid)) continue;
      const argv = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ");
      if (/systemd-nspawn|slirp4netns|pulumi-resource|pulumi-language/.test(argv) || argv.includes(data))
        found.push(argv);
    } catch {
      // The process ended during the read.
    }
  }
  return found.filter((argv) => !argv.includes("--test")).sort();
}

const MARK = "GROUNDPLANE_TEST_FILE=";

/** Test files run side by side. The runner marks the processes of each file. */
function isOfOtherFile(pid: string): boolean {
  const own = process.env.GROUNDPLANE_TEST_FILE;
  if (!own) return false;
  const mark = fs
    .readFileSync(`/proc/${pid}/environ`, "utf8")
    .split("\0")
    .find((entry) => entry.startsWith(MARK));
  return mark !== undefined && mark !== `${MARK}${own}`;
}

function cgroups(): string[] {
  const found: string[] = [];
  const walk = (folder: string, depth: number): void => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const child = path.join(folder, entry.name);
      if (entry.name.includes("groundplane") || entry.name.startsWith("gp-")) found.push(child);
      else if (depth < 4) walk(child, depth + 1);
    }
  };
  walk("/sys/fs/cgroup", 0);
  return found.sort();
}

function files(data: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const child = path.join(folder, entry.name);
      if (entry.isDirectory()) walk(child);
      else found.push(path.relative(data, child));
    }
  };
  if (fs.existsSync(data)) walk(data);
  return found.sort();
}
