// Loaded before each test file: notes at the end how much processor time it and the programs that it ran have used.
// Of processes that go on without it, such as machines, the kernel does not tell.
const fs = require("node:fs");

const TICKS_PER_SECOND = 100;
const file = process.env.GROUNDPLANE_TEST_CPU_FILE;
delete process.env.GROUNDPLANE_TEST_CPU_FILE;

// Taken now: tests of the pure tiers may not write outside the temporary folder, and replace these functions.
const { readFileSync, writeFileSync } = fs;
if (file && process.platform === "linux") process.on("exit", () => writeFileSync(file, String(secondsUsed())));

function secondsUsed() {
  const stat = readFileSync("/proc/self/stat", "utf8");
  // The second field may hold spaces; utime, stime, cutime and cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}
