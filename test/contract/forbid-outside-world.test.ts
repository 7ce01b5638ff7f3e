import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";

/** Runs one statement in the same way as a pure tier runs its files. */
function runGuarded(statement: string): { code: number | null; output: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-guard-"));
  try {
    const file = path.join(folder, "probe.test.ts");
    const imports = ["child_process", "fs", "fs/promises", "net", "dgram", "http", "os"]
      .map((name) => `import * as ${name.replace("fs/promises", "promises")} from "node:${name}";`)
      .join("\n");
    const body = `import { test } from "node:test";\ntest("probe", async () => { ${statement} });\n`;
    fs.writeFileSync(file, `${imports}\nvoid [child_process, fs, promises, net, dgram, http, os];\n${body}`);
    const argv = ["--import", "tsx", "--import", "./test/support/forbid-outside-world.ts", "--test", file];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const done = spawnSync(process.execPath, argv, { encoding: "utf8", env });
    return { code: done.status, output: done.stdout + done.stderr };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const forbidden: readonly (readonly [what: string, statement: string, message: RegExp])[] = [
  ["a process", `child_process.spawn("true")`, /tried to start the process true/],
  ["a shell", `child_process.execSync("true")`, /tried to start the process true/],
  ["a connection", `net.connect(9, "127.0.0.1")`, /tried to connect to/],
  ["a request", `http.get("http://127.0.0.1:9/")`, /tried to connect to/],
  ["fetch", `await fetch("http://127.0.0.1:20001/")`, /tried to connect to/],
  ["a datagram", `dgram.createSocket("udp4").send("x", 9, "127.0.0.1")`, /datagram/],
  ["a file in the project", `fs.writeFileSync("left-behind", "")`, /tried to write .*left-behind/],
  ["a file by promise", `await promises.writeFile("left-behind", "")`, /tried to write .*left-behind/],
  ["a folder", `fs.mkdirSync("left-behind")`, /tried to write .*left-behind/],
  ["a swallowed attempt", `try { fs.rmSync("left-behind") } catch {}`, /tried to write .*left-behind/],
];

for (const [what, statement, message] of forbidden) {
  test(`pure tiers refuse ${what}`, () => {
    const { code, output } = runGuarded(statement);
    assert.notEqual(code, 0, output);
    assert.match(output, message);
    assert.equal(fs.existsSync("left-behind"), false);
  });
}

test("pure tiers may write below the temporary folder and read the project", () => {
  const { code, output } = runGuarded(
    `const folder = fs.mkdtempSync(os.tmpdir() + "/guard-"); fs.writeFileSync(folder + "/a", fs.readFileSync("package.json"));
     await promises.rm(folder, { recursive: true });`,
  );
  assert.equal(code, 0, output);
});
