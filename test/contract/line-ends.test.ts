// A clone with the line ends of Windows, as Git for Windows makes it without .gitattributes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { withLineFeeds } from "../../cloud-init/scripts/read-script";
import { dataFolder } from "../../host/data-folder";
import { copyProject, type ProjectCopy } from "../support/project-copy";

let project: ProjectCopy;
const at = (file: string): string => path.join(project.folder, file);

before(() => {
  project = copyProject(dataFolder());
  for (const file of filesBelow(project.folder)) {
    const text = fs.readFileSync(file);
    if (text.includes(0) || text.includes("\r")) continue;
    fs.writeFileSync(file, text.toString("latin1").replaceAll("\n", "\r\n"), "latin1");
  }
});
after(() => project?.remove());

/** Without links, such as that to the modules of the checkout. */
function filesBelow(folder: string): readonly string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .map(({ name, parentPath }) => path.join(parentPath, name))
    .filter((file) => !file.includes("/node_modules/") && fs.lstatSync(file).isFile());
}

test("git checks out the same bytes everywhere", () => {
  const listed = execFileSync("git", ["ls-files", "--eol"], {
    cwd: path.resolve(__dirname, "../.."),
    encoding: "utf8",
  });
  const others = listed.split("\n").filter((line) => /^i\/(?:crlf|mixed)/.test(line) || /attr\/(?! *text)/.test(line));
  assert.deepEqual(
    others.filter((line) => !/^i\/-text/.test(line)),
    [],
  );
});

test("the text of a script has line feeds only", () => {
  assert.equal(withLineFeeds("#!/bin/bash\r\necho 'a'\r\n"), "#!/bin/bash\necho 'a'\n");
});

test("a build repairs what guests and Linux hosts run, and seeds carry no carriage return", () => {
  assert.match(fs.readFileSync(at("provider/launcher/pulumi-resource-groundplane"), "utf8"), /^#!\/bin\/sh\r\n/);
  execFileSync(process.execPath, ["build.cjs"], { cwd: project.folder });
  for (const folder of ["provider/launcher", "cloud-init/scripts", "image/scripts", "image/layers"]) {
    for (const file of filesBelow(at(folder))) {
      if (!file.endsWith(".ts")) assert.ok(!fs.readFileSync(file).includes("\r"), file);
    }
  }
  const out = path.join(project.data, "seeds");
  const argv = ["cli/groundplane.cjs", "render", "--stack", "lab", "--out", out];
  execFileSync(process.execPath, argv, { cwd: project.folder, env: project.environment });
  const seeds = filesBelow(out);
  assert.ok(seeds.length > 30);
  for (const file of seeds) assert.ok(!fs.readFileSync(file).includes("\r"), file);
});
