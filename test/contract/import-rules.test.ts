import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";

const projectRoot = path.resolve(__dirname, "../..");

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

interface Import {
  readonly file: string;
  readonly imported: string;
  readonly rule?: string;
}

/** One run over a tree with one file for each import. The imported files exist, so that the imports resolve. */
function violationsOf(imports: readonly Import[]): readonly Violation[] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-imports-"));
  try {
    for (const [position, { file, imported }] of imports.entries()) {
      const isPackage = imported.startsWith("node:");
      const target = isPackage ? imported : relativeImport(file, imported);
      write(folder, numbered(file, position), `import * as found from "${target}";\nexport const used = found;\n`);
      if (!isPackage) write(folder, `${imported}.ts`, "export const one = 1;\n");
    }
    const cruiser = path.join(projectRoot, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
    const config = path.join(projectRoot, ".dependency-cruiser.cjs");
    const argv = [cruiser, "--config", config, "--output-type", "json", "."];
    const done = spawnSync(process.execPath, argv, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 26 });
    return JSON.parse(done.stdout).summary.violations;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const numbered = (file: string, position: number): string =>
  file === "stacks/program.ts" ? file : file.replace(/\.ts$/, `-${position}.ts`);

function write(folder: string, file: string, text: string): void {
  fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(folder, file), text);
}

function relativeImport(from: string, to: string): string {
  const relative = path.relative(path.dirname(from), to);
  return relative.startsWith(".") ? relative : `./${relative}`;
}

const forbidden: readonly Import[] = [
  { file: "stacks/config/a.ts", imported: "stacks/plan/b", rule: "imports-of-config" },
  { file: "stacks/plan/a.ts", imported: "cloud-init/b", rule: "imports-of-plan" },
  { file: "cloud-init/roles/a.ts", imported: "components/b", rule: "imports-of-cloud-init" },
  { file: "components/a.ts", imported: "hypervisors/nspawn/b", rule: "drivers-behind-the-port" },
  { file: "stacks/program.ts", imported: "provider/resources/b", rule: "imports-of-program" },
  { file: "model/a.ts", imported: "stacks/config/b", rule: "imports-of-model" },
  { file: "host/a.ts", imported: "provider/b", rule: "imports-of-host" },
  { file: "guests/a.ts", imported: "provider/b", rule: "imports-of-guests" },
  { file: "hypervisors/choice/a.ts", imported: "hypervisors/b", rule: "imports-of-choice" },
  { file: "image/recipes/a.ts", imported: "image/build/b", rule: "imports-of-recipes" },
  { file: "verify/a.ts", imported: "cli/b", rule: "imports-of-verify" },
  { file: "review/a.ts", imported: "cli/b", rule: "imports-of-review" },
  { file: "view/a.ts", imported: "cli/b", rule: "imports-of-view" },
  { file: "view/page/a.ts", imported: "host/b", rule: "imports-of-view-page" },
  { file: "view/picture/a.ts", imported: "verify/b", rule: "imports-of-view-picture" },
  { file: "view/page/a.ts", imported: "node:path", rule: "page-without-node" },
  { file: "provider/rpc/a.ts", imported: "provider/resources/b", rule: "imports-of-rpc" },
  { file: "hypervisors/nspawn/a.ts", imported: "provider/resources/b", rule: "imports-of-hypervisors" },
  { file: "hypervisors/nspawn/a.ts", imported: "host/b", rule: "imports-of-hypervisors" },
  { file: "hypervisors/choice/a.ts", imported: "host/b", rule: "imports-of-choice" },
  { file: "hypervisors/qemu/a.ts", imported: "node:os", rule: "drivers-on-injected-host" },
  { file: "provider/resources/a.ts", imported: "cloud-init/roles/b", rule: "imports-of-provider" },
  { file: "image/a.ts", imported: "provider/b", rule: "imports-of-image" },
  { file: "toolchain/a.ts", imported: "image/b", rule: "imports-of-toolchain" },
  { file: "cli/a.ts", imported: "test/support/b", rule: "imports-of-cli" },
  { file: "provider/resources/a.ts", imported: "cli/b", rule: "imports-of-provider" },
  { file: "model/a.ts", imported: "node:fs", rule: "pure-core" },
  { file: "stacks/plan/a.ts", imported: "node:os", rule: "pure-core" },
  { file: "cloud-init/a.ts", imported: "node:fs", rule: "pure-core" },
  { file: "hypervisors/nspawn/a.ts", imported: "node:child_process", rule: "processes-only-in-host" },
  { file: "components/a.ts", imported: "node:fs", rule: "files-and-sockets-only-in-host" },
  { file: "provider/resources/a.ts", imported: "node:net", rule: "files-and-sockets-only-in-host" },
  { file: "cli/a.ts", imported: "node:fs/promises", rule: "files-and-sockets-only-in-host" },
  { file: "toolchain/a.ts", imported: "node:fs", rule: "files-and-sockets-only-in-host" },
  { file: "stacks/a.ts", imported: "node:fs", rule: "files-and-sockets-only-in-host" },
  { file: "hypervisors/nspawn/a.ts", imported: "host/b", rule: "imports-of-hypervisors" },
  { file: "image/build/a.ts", imported: "host/b", rule: "imports-of-image" },
  { file: "image/parts/a.ts", imported: "node:fs/promises", rule: "files-and-sockets-only-in-host" },
  { file: "image/a.ts", imported: "node:os", rule: "image-on-injected-host" },
  { file: "image/build/a.ts", imported: "node:https", rule: "image-on-injected-host" },
];

const allowed: readonly Import[] = [
  { file: "stacks/plan/a.ts", imported: "stacks/config/b" },
  { file: "cloud-init/roles/a.ts", imported: "stacks/plan/b" },
  { file: "stacks/program.ts", imported: "components/b" },
  { file: "guests/a.ts", imported: "host/b" },
  { file: "hypervisors/qemu/switch/a.ts", imported: "host/b" },
  { file: "hypervisors/nspawn/a.ts", imported: "model/b" },
  { file: "image/entry/a.ts", imported: "host/b" },
  { file: "provider/resources/a.ts", imported: "model/seed" },
  { file: "host/a.ts", imported: "node:child_process" },
  { file: "stacks/plan/a.ts", imported: "node:crypto" },
  { file: "image/build/a.ts", imported: "node:stream/promises" },
  { file: "image/entry/a.ts", imported: "node:os" },
];

test("each forbidden import is reported by its own rule", () => {
  const violations = violationsOf(forbidden);
  for (const [position, { file, imported, rule }] of forbidden.entries()) {
    const reported = violations.filter(({ from }) => from === numbered(file, position)).map((found) => found.rule.name);
    assert.ok(reported.includes(String(rule)), `${file} -> ${imported}: ${JSON.stringify(reported)}`);
  }
});

test("an allowed import is not reported", () => {
  assert.deepEqual(violationsOf(allowed), []);
});
