import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { localHost } from "../../host/local-host";
import { failureOf } from "../../hypervisors/virtualbox/known-issues";
import { withRegistryLock } from "../../hypervisors/virtualbox/registry-lock";
import { createVirtualBox, executeVBoxManage, type VirtualBox } from "../../hypervisors/virtualbox/vboxmanage";
import type { VirtualboxHost } from "../support/virtualbox-host";
import { isRead } from "../support/virtualbox-reads";

const run = promisify(execFile);

/** The VirtualBox of a host with a record of its calls. */
export interface RecordedVirtualBox {
  readonly box: VirtualBox;
  /** All calls so far, including reads and failures. */
  readonly count: number;
  /** The calls that changed something, in order. */
  readonly changes: readonly (readonly string[])[];
}

/**
 * Create one per operation, because the provider is a new process in each operation.
 *
 * @param media files by the random UUID that VirtualBox gave them: another host chooses another UUID
 */
export function recordedVirtualBox(media: Map<string, string>): RecordedVirtualBox {
  const changes: (readonly string[])[] = [];
  let count = 0;
  const box = createVirtualBox({
    host: localHost,
    async execute(argv, timeoutMs) {
      count++;
      const reply = await executeVBoxManage(localHost, argv, timeoutMs);
      // A failed call has changed nothing, and it would end the plain script.
      if (!isRead(argv) && failureOf(argv, reply) === undefined) {
        changes.push(argv.map((word) => media.get(word) ?? word));
        const drawn = /^Medium created\. UUID: (\S+)$/m.exec(reply.stdout)?.[1];
        const file = argv[argv.indexOf("--filename") + 1];
        if (drawn !== undefined && file !== undefined) media.set(drawn, file);
      }
      return reply;
    },
    locked: (action) => withRegistryLock(localHost, action),
  });
  return {
    box,
    changes,
    get count() {
      return count;
    },
  };
}

/** A plain script with the same calls for another host, together with the files that they need. */
export interface BareScript {
  /** Runs it and returns the seconds. */
  run(): Promise<number>;
}

/** Call it while the named files still exist: it copies the seeds. */
export function bareScript(
  name: string,
  changes: RecordedVirtualBox["changes"],
  from: VirtualboxHost,
  to: VirtualboxHost,
): BareScript {
  const [here, there] = [path.dirname(from.data), path.dirname(to.data)];
  // The driver converts into a temporary file next to the disk, then renames it.
  const moved = (word: string) => word.replaceAll(here, there).replace(/\.half\.vdi$/, ".vdi");
  for (const word of changes.flat().filter((each) => each.startsWith(`${here}/`))) {
    // VirtualBox creates a machine's folder itself and refuses one that already contains settings.
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
      // VBoxManage may report an error with exit code 0.
      if (/^VBoxManage: error:/m.test(stderr)) throw new Error(`the plain script of ${name} failed\n${stderr}`);
      return (performance.now() - started) / 1000;
    },
  };
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
