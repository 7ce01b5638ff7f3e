import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { isRead } from "../../hypervisors/virtualbox/commands";
import { failureOf } from "../../hypervisors/virtualbox/known-issues";
import { withRegistryLock } from "../../hypervisors/virtualbox/registry-lock";
import { createVirtualBox, executeVBoxManage, type VirtualBox } from "../../hypervisors/virtualbox/vboxmanage";
import type { VirtualboxHost } from "../support/virtualbox-host";

const run = promisify(execFile);

/** The VirtualBox of a host as the driver has it, and what it was told. */
export interface RecordedVirtualBox {
  readonly box: VirtualBox;
  /** Every call so far, reads and failures too. */
  readonly count: number;
  /** What changed something, in order. */
  readonly changes: readonly (readonly string[])[];
}

/**
 * A new one for each operation, as the provider is a new process for each.
 *
 * @param media files of the media that VirtualBox has drawn an identity for, by it: another host draws another one
 */
export function recordedVirtualBox(media: Map<string, string>): RecordedVirtualBox {
  const changes: (readonly string[])[] = [];
  let count = 0;
  const box = createVirtualBox({
    async execute(argv, timeoutMs) {
      count++;
      const reply = await executeVBoxManage(argv, timeoutMs);
      // One that failed has changed nothing, and fails a plain script.
      if (!isRead(argv) && failureOf(argv, reply) === undefined) {
        changes.push(argv.map((word) => media.get(word) ?? word));
        const drawn = /^Medium created\. UUID: (\S+)$/m.exec(reply.stdout)?.[1];
        const file = argv[argv.indexOf("--filename") + 1];
        if (drawn !== undefined && file !== undefined) media.set(drawn, file);
      }
      return reply;
    },
    locked: withRegistryLock,
    pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  });
  return {
    box,
    changes,
    get count() {
      return count;
    },
  };
}

/** A plain script of the same calls on another host, with the files that they need there. */
export interface BareScript {
  /** Runs it; gives the seconds. */
  run(): Promise<number>;
}

/** Call it while the files that the calls name are still there: seeds are taken along. */
export function bareScript(
  name: string,
  changes: RecordedVirtualBox["changes"],
  from: VirtualboxHost,
  to: VirtualboxHost,
): BareScript {
  const [here, there] = [path.dirname(from.data), path.dirname(to.data)];
  // The driver converts into a file beside the disk, and moves it.
  const moved = (word: string) => word.replaceAll(here, there).replace(/\.half\.vdi$/, ".vdi");
  for (const word of changes.flat().filter((each) => each.startsWith(`${here}/`))) {
    // VirtualBox makes the folder of a machine itself, and refuses one that is there with settings in it.
    fs.mkdirSync(path.dirname(moved(word)), { recursive: true });
    if (word.endsWith(".iso") && fs.existsSync(word)) fs.copyFileSync(word, moved(word));
  }
  const lines = changes.map((argv) => [to.vboxManage, ...argv.map(moved)].map(quoted).join(" "));
  const file = path.join(there, `${name}.sh`);
  fs.writeFileSync(file, `set -e\n${lines.join("\n")}\n`);
  return {
    async run() {
      const started = performance.now();
      const { stderr } = await run("sh", [file], { maxBuffer: 2 ** 26 });
      // Its exit code is not always one of failure.
      if (/^VBoxManage: error:/m.test(stderr)) throw new Error(`the plain script of ${name} failed\n${stderr}`);
      return (performance.now() - started) / 1000;
    },
  };
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
