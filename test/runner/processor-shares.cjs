// Shares of the processor. What system containers have to do in time is measured, so their files go first. Emulated guests
// have to boot within a time limit, so their files go before those without any machine.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/**
 * The weights of other sessions are 1024 in cgroups of version 1, and 100 in those of version 2.
 * @typedef {{ name: string, shares: number, weight: number, nice: number }} Share
 */
const shares = {
  guests: { name: "guests", shares: 307, weight: 30, nice: 5 },
  programs: { name: "programs", shares: 102, weight: 10, nice: 10 },
};

/**
 * A cgroup if this user can make one, because Linux may share the processor between sessions before it looks at single
 * processes, and many tests start sessions. Otherwise a lower priority.
 * @param {Share} share
 * @returns `add` takes a process with all that it will start; `remove` ends the group, when its processes have ended
 */
function makeProcessorShare(share) {
  const folder = makeCgroup(share);
  return {
    add(pid) {
      try {
        // A run in a test is already behind others, and root could put it before them again.
        os.setPriority(pid, Math.max(share.nice, os.getPriority()));
        if (folder) fs.writeFileSync(path.join(folder, "cgroup.procs"), String(pid));
      } catch {
        // It has ended.
      }
    },
    remove() {
      try {
        if (folder) fs.rmdirSync(folder);
      } catch {
        // A process that has left its test file is still in it. The next run removes the group.
      }
    },
  };
}

function makeCgroup(share) {
  const settings = { "cpu.shares": share.shares, "cpu.weight": share.weight };
  for (const parent of cpuHierarchies()) {
    removeAbandoned(parent);
    const folder = path.join(parent, `groundplane-tests-${process.pid}-${share.name}`);
    try {
      fs.mkdirSync(folder);
      const name = Object.keys(settings).find((setting) => fs.existsSync(path.join(folder, setting)));
      if (name === undefined) throw new Error("no controller of processors");
      fs.writeFileSync(path.join(folder, name), String(settings[name]));
      return folder;
    } catch {
      if (fs.existsSync(folder)) fs.rmdirSync(folder);
    }
  }
  return undefined;
}

/** Groups of runs that have ended. The kernel keeps those with processes. */
function removeAbandoned(parent) {
  for (const name of fs.existsSync(parent) ? fs.readdirSync(parent) : []) {
    const runner = /^groundplane-tests-(\d+)(?:-|$)/.exec(name)?.[1];
    if (runner === undefined || fs.existsSync(`/proc/${runner}`)) continue;
    try {
      fs.rmdirSync(path.join(parent, name));
    } catch {
      // It has processes, or belongs to another user.
    }
  }
}

/** Where this process may be in the hierarchy of processors: of version 1, or of version 2, where machines are below the root. */
function cpuHierarchies() {
  try {
    const own = /^\d+:(?:.*,)?cpu(?:,.*)?:\/(.*)$/m.exec(fs.readFileSync("/proc/self/cgroup", "utf8"))?.[1];
    return own === undefined ? ["/sys/fs/cgroup"] : [path.join("/sys/fs/cgroup/cpu", own)];
  } catch {
    return [];
  }
}

module.exports = { makeProcessorShare, shares };
