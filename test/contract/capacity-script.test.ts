import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/** The real script on files of its own in the place of /proc and /sys; test/contract/nspawn-guests.test.ts mounts them. */

const script = path.join(__dirname, "../../cloud-init/scripts/common/show-capacity.sh");

interface Machine {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly allowed: string;
}

async function shown({ cpus, memoryMiB, allowed }: Machine): Promise<(file: string) => string> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-capacity-"));
  const file = (name: string, text: string, mode = 0o644): string => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text, { mode });
    return path.join(folder, name);
  };
  const processor = (id: number): string => `processor\t: ${id}\nmodel name\t: old\n\n`;
  file("proc/cpuinfo", processor(0) + processor(1));
  file("proc/meminfo", "MemTotal: 24684084 kB\n");
  file("proc/self/mountinfo", "22 1 0:21 / /proc rw - proc proc rw\n");
  file("proc/self/status", `Name:\tbash\nCpus_allowed_list:\t${allowed}\n`);
  file("sys/devices/system/cpu/online", "0-1\n");
  file("sys/devices/system/cpu/cpu1/topology/core_id", "7\n");
  file("sys/fs/cgroup/memory/memory.usage_in_bytes", `${300 * 1024 ** 2}\n`);
  const bytes = { cache: 200, rss: 90, inactive_file: 120, active_file: 60, shmem: 10 };
  const figures = Object.entries(bytes).map(([name, mib]) => `total_${name} ${mib * 1024 ** 2}\n`);
  file("sys/fs/cgroup/memory/memory.stat", figures.join(""));
  file("bin/mount", `#!/bin/sh\necho "$@" >>${folder}/mounts\n`, 0o755);
  file("bin/systemd-notify", `#!/bin/sh\ntouch ${folder}/ready\n`, 0o755);
  const child = spawn("bash", [script], {
    env: {
      PATH: `${folder}/bin:${process.env.PATH}`,
      CAPACITY_FILE: file("capacity", `CPUS="${cpus}"\nMEMORY_MIB="${memoryMiB}"\n`),
      PROC_FOLDER: `${folder}/proc`,
      SYS_FOLDER: `${folder}/sys`,
      STATE_FOLDER: `${folder}/state`,
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const ended = once(child, "exit");
  while (!fs.existsSync(`${folder}/ready`) && child.exitCode === null) await sleep(10);
  child.kill();
  await ended;
  const texts = new Map(
    fs
      .readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => fs.statSync(path.join(folder, name)).isFile())
      .map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8").replaceAll(folder, "")]),
  );
  fs.rmSync(folder, { recursive: true });
  return (name) => texts.get(name) ?? assert.fail(`no ${name}`);
}

test("a machine shows its own memory and what of it is free", async () => {
  const text = (await shown({ cpus: 2, memoryMiB: 2048, allowed: "0-1" }))("state/meminfo");
  const figure = (name: string): number => Number(new RegExp(`^${name}:\\s*([0-9]+) kB$`, "m").exec(text)?.[1]) / 1024;
  assert.equal(figure("MemTotal"), 2048);
  assert.equal(figure("MemFree"), 2048 - 300);
  assert.equal(figure("MemAvailable"), 2048 - 300 + 180, "the page cache can be freed");
  assert.deepEqual([figure("Cached"), figure("AnonPages"), figure("Shmem"), figure("SwapTotal")], [200, 90, 10, 0]);
  assert.equal(
    new Set(
      text
        .trimEnd()
        .split("\n")
        .map((line) => line.length),
    ).size,
    1,
    "lines keep their width",
  );
});

test("a machine that keeps to one processor shows that one", async () => {
  const file = await shown({ cpus: 1, memoryMiB: 512, allowed: "1" });
  assert.equal(file("state/online"), "1\n");
  assert.equal(file("state/cpuinfo"), "processor\t: 1\nmodel name\t: old\n\n");
  assert.equal(file("state/node/node0/cpu1/topology/core_id"), "7\n");
  assert.throws(() => file("state/node/node0/cpu0/topology/core_id"));
  assert.match(file("state/node/node0/meminfo"), /^Node 0 MemTotal: +524288 kB$/m);
});

test("a plan with more processors than the host shows the planned number", async () => {
  const file = await shown({ cpus: 4, memoryMiB: 512, allowed: "0-1" });
  assert.equal(file("state/online"), "0,1,2,3\n");
  assert.deepEqual(
    file("state/cpuinfo").match(/^processor.*$/gm),
    [0, 1, 2, 3].map((id) => `processor\t: ${id}`),
  );
  assert.equal(file("state/node/node0/cpu3/topology/core_id"), "3\n");
});

test("the files are mounted read-only over the host's, where the host has them", async () => {
  const file = await shown({ cpus: 1, memoryMiB: 512, allowed: "0-1" });
  assert.deepEqual(file("mounts").trimEnd().split("\n"), [
    "-o bind,ro /state/cpuinfo /proc/cpuinfo",
    "-o bind,ro /state/online /sys/devices/system/cpu/online",
    "-o bind,ro /state/meminfo /proc/meminfo",
  ]);
});
