import assert from "node:assert/strict";
import { test } from "node:test";
import { transformSync } from "esbuild";
import { generateProgram } from "../../../toolchain/language-host/generate-program";

const pcl = `package command {
    baseProviderName = "command"
    baseProviderVersion = "1.2.1"

}

resource master1 "groundplane:index:Machine" {
    __logicalName = "master-1"
    stack = "lab"
    cpus = 2
    running = true
    note = "say \\"hi\\" to $\${HOME}\\n"
    nics = [{
        mac = "52:54:00:00:00:01"
        "odd key" = null
    }, {}]
    token = secret("hush")
    options {
        protect = true
    }
}
resource plain "command:local:Command" {
}
`;

test("imported resources become declarations that compile", () => {
  const text = generateProgram([pcl]);
  assert.match(text, /The import is done/);
  assert.match(
    text,
    /^new pulumi\.CustomResource\("groundplane:index:Machine", "master-1", \{ stack: "lab", cpus: 2, running: true, /m,
  );
  assert.match(text, /note: "say \\"hi\\" to \$\{HOME\}\\n"/);
  assert.match(text, /nics: \[\{ mac: "52:54:00:00:00:01", "odd key": null \}, \{ {2}\}\]/);
  assert.match(text, /token: pulumi\.secret\("hush"\)/);
  assert.match(text, /\}, \{ protect: true \}\);$/m);
  assert.match(text, /new pulumi\.CustomResource\("command:local:Command", "plain", \{\}, \{\}\);/);
  transformSync(text, { loader: "ts" });
});

test("anything but literal values is shown as it is, in comments", () => {
  for (const source of [
    'resource a "x:y:Z" {\n  other = b.id\n}\n',
    'resource a "x:y:Z" {\n  t = "${b}"\n}\n',
    "resource a",
    "€",
  ]) {
    const text = generateProgram([source]);
    assert.match(text, /^\/\/ (?:resource a|€)/m, source);
    transformSync(text, { loader: "ts" });
  }
});
