/**
 * Writes what `npm start` prints on this host, with the time of each line, as the recording of the documents: `npm run docs:record`. It starts the
 * example `lab` from a clone of the present commit, with the images of this host, and destroys it afterwards.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { dataFolder } from "../../host/data-folder";
import { runCommand } from "../../host/run-command";
import { projectFolder } from "./documents";
import type { Recording } from "./draw-recording";

export const recordingFile = path.join(projectFolder, "docs", "pictures", "first-minute.json");

const MINUTES = 60_000;

async function record(): Promise<Recording> {
  // It would be destroyed.
  if (fs.existsSync(path.join(dataFolder(), "stacks", "lab"))) throw new Error("this host has a stack lab already");
  const place = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-recording-"));
  const clone = path.join(place, "groundplane");
  const git = async (...words: string[]) => (await runCommand(["git", ...words])).stdout.trim();
  try {
    await git("clone", "--quiet", projectFolder, clone);
    await runCommand(["npm", "ci"], { cwd: clone, timeoutMs: 10 * MINUTES });
    const lines: { seconds: number; text: string }[] = [];
    const begun = performance.now();
    const onLine = (text: string): void => {
      const readable = text.replaceAll(os.homedir(), "~");
      lines.push({ seconds: Math.round((performance.now() - begun) / 100) / 10, text: readable });
    };
    await runCommand(["npm", "start"], { cwd: clone, timeoutMs: 10 * MINUTES, onLine });
    return {
      ...{ command: "npm start", commit: await git("-C", projectFolder, "rev-parse", "--short", "HEAD") },
      ...{ date: new Date().toISOString().slice(0, 10), lines },
    };
  } finally {
    const destroy = ["npx", "groundplane", "destroy", "--stack", "lab", "--yes"];
    await runCommand(destroy, { cwd: clone, timeoutMs: 10 * MINUTES, allowedExitCodes: [0, 1] });
    fs.rmSync(place, { recursive: true, force: true });
  }
}

if (require.main === module)
  void record().then((recording) => {
    fs.writeFileSync(recordingFile, `${JSON.stringify(recording, null, 2)}\n`);
    console.log(`${recordingFile}: ${recording.lines.length} lines`);
  });
