import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after } from "node:test";
import { localHost } from "../../host/local-host";
import { RecordingHost } from "../support/recording-host";
import { contractCommands, hostContract } from "./host-contract";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

hostContract("of this machine", () => ({
  host: localHost,
  folder,
  modeOf: (file) => fs.statSync(file).mode & 0o7777,
  sleeper: ["sleep", `30.${process.pid}`],
}));

hostContract("in memory", () => {
  const host = new RecordingHost({
    files: { "/suite/.keep": "" },
    commands: [
      { argv: contractCommands.echo, stdout: "one\ntwo\n", stderr: "half\n", exitCode: 3 },
      { argv: contractCommands.fail, stderr: "why\n", exitCode: 7 },
      { argv: contractCommands.missing, exitCode: null },
    ],
  });
  return { host, folder: "/suite", modeOf: (file) => host.files.modeOf(file), sleeper: ["sleep", "30"] };
});
