// What limits each file that grows while a data centre runs: a new one without a limit is noticed here.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";

const projectFolder = path.resolve(__dirname, "..", "..", "..");
const read = (file: string): string => fs.readFileSync(path.join(projectFolder, file), "utf8");

/** The rooms whose code runs on the host. Guests have journald, limit-logs.sh and the limits of kubelet and API server. */
const rooms = ["cli", "guests", "host", "hypervisors", "image", "model", "provider", "review", "toolchain", "verify"];
const sources = rooms
  .flatMap((room) =>
    (fs.readdirSync(path.join(projectFolder, room), { recursive: true }) as string[]).map((file) =>
      path.join(room, file),
    ),
  )
  .filter((file) => file.endsWith(".ts"));

/** How a file's size is limited, and where a test shows it. */
const limits: Readonly<Record<string, { readonly test: string; readonly title: string } | undefined>> = {
  /** The output of a long-lived process: `ProcessOptions.outputLimit` is required, so the compiler finds a start without it. */
  outputLimit: { test: "test/contract/host-processes.test.ts", title: "the output of a started process has a limit" },
  /** The switch of the stack empties it every minute. */
  qemuSwitch: { test: "test/contract/console-limit.test.ts", title: "QEMU's console is emptied above its limit" },
  /** A process of the stack empties it every minute; on other hosts than Linux, only a start does. */
  limitConsoles: {
    test: "test/contract/console-limit.test.ts",
    title: "a console stays small while its machine writes",
  },
  /** A limited file of the previous start, moved. */
  moved: {
    test: "test/unit/hypervisors/virtualbox/driver.test.ts",
    title: "the console of the previous start is kept",
  },
  /** Each run replaces the file of the previous one; see below. */
  replaced: undefined,
  /** It is removed with the temporary folder of a build; see below. */
  temporary: undefined,
  /** A simulated machine prints a few lines per start. */
  simulated: undefined,
};

/** File and name of each log. */
const logFiles: Readonly<Record<string, string>> = {
  "hypervisors/fake/fake-store.ts console.log": "simulated",
  "hypervisors/nspawn/folders.ts console.log": "outputLimit",
  "hypervisors/nspawn/folders.ts uplink.log": "outputLimit",
  "hypervisors/nspawn/freezer.ts watchdog.log": "outputLimit",
  "hypervisors/qemu/folders.ts console.log": "qemuSwitch",
  "hypervisors/qemu/folders.ts console.log.1": "moved",
  "hypervisors/qemu/folders.ts qemu.log": "outputLimit",
  "hypervisors/qemu/folders.ts switch.log": "outputLimit",
  "hypervisors/virtualbox/folders.ts console.1.log": "moved",
  "hypervisors/virtualbox/folders.ts console.log": "limitConsoles",
  "hypervisors/virtualbox/folders.ts virtualbox-consoles.log": "outputLimit",
  "image/build/containerd-store.ts containerd.log": "temporary",
  "toolchain/run-pulumi/bring-up.ts up.log": "replaced",
};

test("every log on the host is in the table of limits", () => {
  const found = sources.flatMap((file) =>
    [...read(file).matchAll(/["'`/]([\w.-]+\.log(?:\.\w+)?)["'`]/g)].map(([, name]) => `${file} ${name}`),
  );
  assert.deepEqual([...new Set(found)].sort(), Object.keys(logFiles).sort());
});

test("each limit has a test that shows it", () => {
  for (const name of Object.values(logFiles)) {
    assert.ok(name in limits, name);
    const shown = limits[name];
    if (shown) assert.ok(read(shown.test).includes(`test("${shown.title}`), name);
  }
});

test("only processes with a limit, and simulated machines, write to a file without end", () => {
  const filesWith = (pattern: RegExp) => sources.filter((file) => pattern.test(read(file)));
  assert.deepEqual(filesWith(/\.appendLine\(/), ["hypervisors/fake/fake-store.ts"]);
  assert.deepEqual(filesWith(/\bappendFile\(|flags: "a"|openSync\(/), ["host/file-store.ts", "host/start-process.ts"]);
  for (const file of filesWith(/processes\.start\(/)) {
    if (file.startsWith("hypervisors/")) assert.match(read(file), /outputLimit: OUTPUT_LIMIT/, file);
  }
});

test("the file of `up` is replaced, and that of a build is removed with its folder", () => {
  assert.match(read("toolchain/run-pulumi/bring-up.ts"), /writeFileAtomic\(logFile,/);
  assert.match(read("image/build/containerd-store.ts"), /files\.remove\(archives\)/);
});

test("QEMU's switch learns the console of every machine", () => {
  assert.match(read("hypervisors/qemu/network.ts"), /consoles = records\.map\(.*consoleLog\)/);
  assert.match(
    read("hypervisors/qemu/commands.ts"),
    /"file,?.*append=on|append=on/,
    "the switch empties a file in place",
  );
});
