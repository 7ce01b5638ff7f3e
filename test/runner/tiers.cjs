// What the runner knows about the tests, as data: the tiers in their order, and what files need while they run.

// Real images and machines of the tier `contract` need root. As another user it tests what is left, on any Linux.
const isRoot = process.getuid?.() === 0;

/**
 * - `pure`: the files cannot reach the outside world.
 * - `needs`: what is prepared first: `dependencies` of npm, `pulumi`, or `everything` down to the images.
 * - `holds`: a resource that one file at a time may use. Files of different tiers run side by side.
 * - `alone`: nothing else runs beside it, because it measures how long things take.
 * - `limitMinutes`: a file that takes longer hangs, and is ended.
 */
const tiers = {
  check: { needs: "dependencies" },
  unit: { needs: "dependencies", pure: true, limitMinutes: 5 },
  property: { needs: "dependencies", pure: true, limitMinutes: 5 },
  golden: { needs: "dependencies", pure: true, limitMinutes: 5 },
  contract: { needs: isRoot ? "everything" : "pulumi", holds: "containers", limitMinutes: 60 },
  virtualbox: { needs: "everything", limitMinutes: 60 },
  qemu: { needs: "everything", holds: "qemu", limitMinutes: 60 },
  engine: { needs: "pulumi", limitMinutes: 60 },
  docs: { needs: "pulumi", limitMinutes: 60 },
  e2e: { needs: "everything", alone: true, limitMinutes: 60 },
};

const checks = [
  { name: "format and lint", script: "format" },
  { name: "import directions", script: "lint" },
  { name: "types", script: "types" },
];

/**
 * Seconds that the long files take on two cores. They start first, so that none of them runs on its own at the end. A
 * stale figure costs time, nothing else.
 */
const expectedSeconds = {
  "test/virtualbox/program.test.ts": 300,
};

module.exports = { tiers, checks, expectedSeconds };
