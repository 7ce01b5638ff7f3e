import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after } from "node:test";

/** A data folder for the tests of a file and for the processes that they start. It is removed after them. */
export function ownDataFolder(): string {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const inherited = process.env.GROUNDPLANE_DATA;
  process.env.GROUNDPLANE_DATA = data;
  after(() => {
    fs.rmSync(data, { recursive: true, force: true });
    if (inherited === undefined) delete process.env.GROUNDPLANE_DATA;
    else process.env.GROUNDPLANE_DATA = inherited;
  });
  return data;
}
