// The commands on the real engine with the fake driver, on a host whose folders are full or read-only, and with variables for
// another use of Pulumi. What cannot work is refused with the obstacle and the next step; everything else works.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { type CommandAnswer, fakeDriverEnvironment, runInProject } from "../support/fake-driver-commands";
import { copyProject, type ProjectCopy } from "../support/project-copy";

const STACK = "tiny";
const skip = process.getuid?.() === 0 ? false : "needs root, for mounts in a namespace of its own";
let project: ProjectCopy;

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  const pools = "{balancers: {count: 1}, masters: {count: 1}, workers: {count: 1}}";
  fs.writeFileSync(project.stackFile(STACK), `config:\n  groundplane:dataCenter:\n   pools: ${pools}\n`);
  const { code, output } = await groundplane("start");
  assert.equal(code, 0, output);
});
after(() => project?.remove());

const run = (argv: readonly string[], more: NodeJS.ProcessEnv): Promise<CommandAnswer> =>
  runInProject(project, argv, { ...fakeDriverEnvironment(project), ...more });

const wordsOf = (command: string): readonly string[] => [
  ...[
    process.execPath,
    ...(command === "npm start" ? ["cli/start.cjs"] : ["cli/groundplane.cjs", ...command.split(" ")]),
  ],
  ...["--stack", STACK],
];
const groundplane = (command: string, more: NodeJS.ProcessEnv = {}): Promise<CommandAnswer> =>
  run(wordsOf(command), more);

/** Runs a command in a mount namespace of its own, after the mounts of a script. */
const mounted = (script: string, command: string, more: NodeJS.ProcessEnv = {}): Promise<CommandAnswer> =>
  run(["unshare", "--mount", "bash", "-ec", `${script}\nexec "$@"`, "bash", ...wordsOf(command)], more);

test("options for single calls of Pulumi, another stack and another home in the environment change nothing", async () => {
  const more = {
    ...{ PULUMI_OPTION_CONFIG_FILE: "/nowhere/Pulumi.other.yaml", PULUMI_OPTION_PREVIEW_ONLY: "true" },
    ...{ PULUMI_OPTION_TARGET: "other", PULUMI_OPTION_CWD: "/tmp", PULUMI_OPTION_PARALLEL: "1" },
    ...{ PULUMI_STACK: "other", PULUMI_HOME: "/nowhere/home", PULUMI_CREDENTIALS_PATH: "/nowhere/home" },
  };
  assert.match((await groundplane("start", more)).output, /^tiny is up; no changes\./m);
  const { code, output } = await groundplane("preview", more);
  assert.deepEqual([code, /No node changes/.test(output)], [0, true], output);
});

test("a backend that the environment chooses and that cannot be used is named, with the variable", async () => {
  const backends: readonly (readonly [string, NodeJS.ProcessEnv])[] = [
    ["PULUMI_ACCESS_TOKEN", { PULUMI_ACCESS_TOKEN: "garbage", PULUMI_API: "http://127.0.0.1:9" }],
    ["PULUMI_BACKEND_URL", { PULUMI_BACKEND_URL: "http://127.0.0.1:9" }],
    ["PULUMI_BACKEND_URL", { PULUMI_BACKEND_URL: "garbage" }],
  ];
  for (const [variable, more] of backends) {
    const all = ["status", "preview", "start", "destroy --yes"];
    for (const command of variable === "PULUMI_ACCESS_TOKEN" ? all : ["status", "start"]) {
      const { code, output } = await groundplane(command, more);
      assert.equal(code, 1, output);
      assert.match(output, new RegExp(`Pulumi cannot use the backend that ${variable} chooses for its state: `));
      assert.match(output, new RegExp(`next step: to use the state on this host, which has tiny, unset ${variable};`));
    }
  }
});

test("a full temporary folder is not used", { skip }, async () => {
  const folder = fs.mkdtempSync(path.join(project.data, "temporary-"));
  const full = `mount -t tmpfs -o size=64k tmpfs "${folder}"; head -c 1M /dev/zero >"${folder}/full" 2>/dev/null || true`;
  for (const command of ["npm start", "preview"]) {
    const { code, output } = await mounted(full, command, { TMPDIR: folder });
    assert.equal(code, 0, output);
    assert.match(output, /no changes|No node changes/);
  }
  // What it checks by building something is not blamed for the folder.
  const { output } = await mounted(full, "doctor", { TMPDIR: folder });
  const ofParts = (text: string) => text.split("\n").filter((line) => line.includes("parts from"));
  assert.deepEqual(ofParts(output), ofParts((await groundplane("doctor")).output));
});

test("a full folder for temporary files of the system is named before anything is changed", { skip }, async () => {
  // Other places lead to the clone and the data, which are in that folder.
  const root = path.dirname(project.folder);
  const system = os.tmpdir();
  const covered = [
    `mount --bind "${root}" /mnt`,
    `mount -t tmpfs -o size=64k tmpfs "${system}"`,
    `head -c 1M /dev/zero >"${system}/full" 2>/dev/null || true`,
    "cd /mnt/project",
  ].join("\n");
  const started = await mounted(covered, "start", { GROUNDPLANE_DATA: "/mnt/data" });
  assert.equal(started.code, 1, started.output);
  assert.match(started.output, /the disk is full: \S+, the folder for temporary files, has no room/);
  assert.match(started.output, /next step: free space there, or set TMPDIR/);
  const { output } = await mounted(covered, "doctor", { GROUNDPLANE_DATA: "/mnt/data" });
  assert.match(output, /PROBLEM the disk is full: /);
  const elsewhere = { GROUNDPLANE_DATA: "/mnt/data", TMPDIR: "/mnt/data" };
  assert.match((await mounted(covered, "start", elsewhere)).output, /no changes/);
});

test("a read-only clone only keeps a stack from being changed, and is named", { skip }, async () => {
  const readOnly = `mount --bind "${project.folder}" "${project.folder}"; mount -o remount,ro,bind "${project.folder}"; cd "${project.folder}"`;
  for (const command of ["kubeconfig", "preview", "diagram"]) {
    const { code, output } = await mounted(readOnly, command);
    assert.equal(code, 0, output);
  }
  for (const command of ["start", "npm start"]) {
    const { code, output } = await mounted(readOnly, command);
    assert.equal(code, 1, output);
    assert.match(output, /the file system of \S*project \(the clone of groundplane\) is mounted read-only/);
    assert.match(output, /next step: mount it for writing, or use another folder for the clone of groundplane/);
  }
  const outdated = `touch -d 2000-01-01 dist/cli.js; ${readOnly}`;
  const { output } = await mounted(outdated, "npm start");
  assert.match(
    output,
    /error: building is not possible in \S*project: its file system is mounted read-only\n {2}next step/,
  );
  await run([process.execPath, "build.cjs"], {});
});

test("a data folder that is full or read-only is named by every command that writes into it", { skip }, async () => {
  const place = fs.mkdtempSync(path.join(path.dirname(project.data), "place-"));
  const copied = `mount -t tmpfs -o size=256m tmpfs "${place}"; cp -a "${project.data}/." "${place}/"`;
  const more = { GROUNDPLANE_DATA: place };
  const full = `${copied}; cat /dev/zero >"${place}/full" 2>/dev/null || true`;
  const readOnly = `${copied}; mount -o remount,ro "${place}"`;
  for (const [mounts, obstacle] of [
    [full, /the disk is full: |no space left on device/],
    [readOnly, /mounted read-only/],
  ] as const) {
    for (const command of ["start", "stop", "destroy --yes"]) {
      const { code, output } = await mounted(mounts, command, more);
      assert.equal(code, 1, output);
      assert.match(output, obstacle, command);
      assert.match(output, /next step: /, command);
      assert.doesNotMatch(output, /internal error/, command);
    }
    for (const command of ["status", "preview", "kubeconfig", "doctor"])
      assert.doesNotMatch((await mounted(mounts, command, more)).output, /internal error/, command);
  }
});
