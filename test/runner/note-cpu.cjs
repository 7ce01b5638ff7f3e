// Loaded before each test file. At the end, it records the processor time of the file and of the programs that it ran.
// The kernel does not count processes that outlive the file, such as machines.
const fs = require("node:fs");

const TICKS_PER_SECOND = 100;
const file = process.env.GROUNDPLANE_TEST_CPU_FILE;
delete process.env.GROUNDPLANE_TEST_CPU_FILE;

// Saved now, because pure tiers replace these functions and forbid writes outside the temporary folder.
const { readFileSync, writeFileSync } = fs;
if (file && process.platform === "linux") process.on("exit", () => writeFileSync(file, String(secondsUsed())));

function secondsUsed() {
  const stat = readFileSync("/proc/self/stat", "utf8");
  // The second field may contain spaces. utime, stime, cutime and cstime are the fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}
