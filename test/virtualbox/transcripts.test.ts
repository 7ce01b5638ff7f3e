// VBoxManage still prints what the parsers' transcripts contain. RECORD=1 rewrites the transcripts and fails.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { makeVirtualboxHost, type VirtualboxHost } from "../support/virtualbox-host";
import { obtainVirtualboxRoot } from "../support/virtualbox-root";
import { recordTranscripts } from "../support/virtualbox-transcripts";

const folder = path.join(__dirname, "../transcripts/virtualbox-7.2");
let host: VirtualboxHost | undefined;
after(() => host?.close());

test("VBoxManage prints the recorded transcripts", { timeout: 20 * 60_000 }, async (t) => {
  const root = await obtainVirtualboxRoot();
  if (typeof root === "string") return t.skip(root);
  host = makeVirtualboxHost(root);
  const said = await recordTranscripts(host);
  if (process.env.RECORD) {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(said)) fs.writeFileSync(path.join(folder, `${name}.txt`), text);
    return assert.fail(
      `recorded ${Object.keys(said).length} transcripts: look at the difference, then run without RECORD`,
    );
  }
  const recorded = (name: string) => fs.readFileSync(path.join(folder, `${name}.txt`), "utf8");
  if (said.version !== recorded("version"))
    return t.skip(`recorded on ${recorded("version").trim()}, this is ${said.version?.trim()}`);
  for (const [name, text] of Object.entries(said)) assert.equal(text, recorded(name), name);
});
