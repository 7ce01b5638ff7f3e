// The runner's knowledge about the tests, as data: the tiers in their order, and the resources that files need.

// Real images and machines of the tier `contract` need root. For other users, it runs the remaining tests on any Linux.
const isRoot = process.getuid?.() === 0;

/**
 * - `pure`: the files cannot reach the outside world.
 * - `needs`: the preparation: `dependencies` of npm, `pulumi`, or `everything` including the images.
 * - `holds`: resources that one file at a time may use. Files of different tiers run side by side.
 * - `share`: of the processor (test/runner/processor-shares.cjs); by default all that it can get.
 * - `onRequest`: the tier runs only if it is named.
 * - `limitMinutes`: a file or a check that takes longer is ended.
 */
const tiers = {
  check: { needs: "dependencies", limitMinutes: 10 },
  unit: { needs: "dependencies", pure: true, limitMinutes: 5 },
  property: { needs: "dependencies", pure: true, limitMinutes: 5 },
  golden: { needs: "dependencies", pure: true, limitMinutes: 5 },
  contract: { needs: isRoot ? "everything" : "pulumi", share: "programs", limitMinutes: 60 },
  virtualbox: { needs: "everything", share: "programs", limitMinutes: 60 },
  qemu: { needs: "everything", share: "programs", limitMinutes: 60 },
  engine: { needs: "pulumi", share: "programs", limitMinutes: 60 },
  docs: { needs: "pulumi", share: "programs", limitMinutes: 60 },
  e2e: { needs: "everything", holds: ["machines"], limitMinutes: 75 },
  topologies: { needs: "everything", holds: ["machines"], limitMinutes: 60, onRequest: true },
};

const checks = [
  { name: "format and lint", script: "format" },
  { name: "import directions", script: "lint" },
  { name: "types", script: "types" },
];

/** Files of the tier `contract` that use system containers, or namespaces and interfaces of the host. */
const containerFiles = [
  ...[
    "floating-ip-agent",
    "hand-over",
    "hostile-seed-values",
    "image-real-parts",
    "image-sealed",
    "legal-combinations",
    "nspawn",
  ],
  ...["nspawn-border", "nspawn-guests", "nspawn-problems", "seeds", "smoke"],
].map((name) => `test/contract/${name}.test.ts`);

/**
 * Files that emulate whole operating systems, which use both processors. They never run beside the lab: with the processor time that it
 * leaves, guests do not boot within twenty minutes. The guests of the other files of the tier `qemu` end in their boot sector.
 */
const emulatingFiles = ["guest-program", "virtualbox-hardware"].map((name) => `test/qemu/${name}.test.ts`);

/** It compares what is on the host before and after, and measures what containers beside it would delay. */
const aloneWithMachines = ["test/e2e/lab.test.ts"];

/** The resources that a file holds while it runs. */
function heldBy(tier, file) {
  if (aloneWithMachines.includes(file)) return ["machines", "containers", "emulation"];
  if (emulatingFiles.includes(file)) return ["emulation"];
  return containerFiles.includes(file) ? ["containers"] : tiers[tier].holds;
}

/** The name of a file's share of the processor; `undefined` if it goes first. */
function shareOf(tier, file) {
  if (emulatingFiles.includes(file)) return "guests";
  return containerFiles.includes(file) ? undefined : tiers[tier].share;
}

/**
 * Durations of the long files on two cores, in seconds. These files start first, so that none of them runs alone at the
 * end. An outdated figure only costs time.
 */
const secondsOf = {
  contract: {
    "broken-health": 30,
    "change-classes": 60,
    commands: 60,
    "front-proxy-authority": 35,
    "killed-gateway-roll": 15,
    "killed-image-roll": 40,
    "kubernetes-authority": 30,
    "killed-lone-master-roll": 120,
    "killed-member-roll": 60,
    "killed-storage-roll": 40,
    "member-image": 40,
    "image-sealed": 30,
    "legal-combinations": 35,
    nspawn: 65,
    "nspawn-guests": 40,
    preview: 60,
    seeds: 100,
  },
  virtualbox: { program: 340, interruption: 700, drift: 70, contract: 150, media: 50, "running-machines": 50 },
  qemu: { "guest-program": 500, "virtualbox-hardware": 250, contract: 35 },
  engine: {
    ...{
      guard: 300,
      "change-classes": 250,
      "external-etcd": 70,
      backup: 180,
      compat: 120,
      "kept-release": 80,
      "image-roll": 160,
      "image-roll-members": 60,
      restore: 190,
      snapshot: 60,
      "foreign-environments": 90,
      "lost-state": 60,
      "provider-cluster": 70,
      "provider-life-cycle": 60,
      rotation: 40,
      start: 80,
      program: 50,
      upgrade: 60,
    },
    ...{ "preview-changes-nothing": 50, "provider-interruption": 40, "toolchain-local-command": 60 },
    ...{ "toolchain-language-host": 50, "toolchain-remote-command": 50 },
  },
  docs: { commands: 70 },
  // This file waits most of the time.
  e2e: { lab: 2000, "external-etcd": 425, "kept-stack": 400, "two-servers": 200 },
};
const expectedSeconds = Object.fromEntries(
  Object.entries(secondsOf).flatMap(([tier, files]) =>
    Object.entries(files).map(([name, seconds]) => [`test/${tier}/${name}.test.ts`, seconds]),
  ),
);

module.exports = { tiers, checks, containerFiles, emulatingFiles, expectedSeconds, heldBy, shareOf };
