import type { BrickPlan, DataCenterPlan, VolumePlan } from "../../stacks/plan/data-center-plan";
import type { Fault } from "../fault";
import { longestGap, removeRecordings, startRecording, stopRecording } from "../guest-recordings";
import type { Laboratory } from "../laboratory";
import { recovery } from "./masters";

/** Writing time before the machine is killed, and while it is down. */
const BEFORE_MS = 2_000;
const DOWN_MS = 8_000;
const HEALED_MS = 180_000;

const fileName = "groundplane-verify";
const recording = "volume-writes";

/**
 * Appends numbered lines through one file descriptor until it is stopped, like a database. When fsync returns, it prints the
 * time and the number of the line.
 */
const writer = (file: string): string => `
import os, time
volume = os.open("${file}", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
number = 0
while True:
    try:
        os.write(volume, b"%d\\n" % number)
        os.fsync(volume)
        print(time.time(), "acknowledged", number, flush=True)
    except OSError as error:
        print(time.time(), "refused", number, flush=True)
    number += 1
    time.sleep(0.005)
`;

export const storageKill: Fault = {
  name: "storage-kill",
  what: "a storage machine loses its network, then its power, while a worker writes and syncs; then it restarts",
  breaks: ({ volume }) => volume?.bricks.map(({ node }) => node) ?? [],
  measures: () => [
    { name: "write-stall", what: "longest time until a write is on disk", unit: "ms", target: 3_000 },
    { name: "refused-writes", what: "failed writes", unit: "times", target: 0 },
    { name: "lost-writes", what: "acknowledged lines that a copy lacks", unit: "times", target: 0 },
    recovery("from the machine's start until all copies are healed", 60_000),
  ],
  inapplicable: ({ volume }) =>
    volume === undefined || volume.shape === "single" ? "the stack has no replicated volume" : undefined,
  async run(lab) {
    const volume = volumeOf(lab.plan);
    const workers = lab.names("worker");
    const [worker = "", reader = worker] = workers;
    const lost = lab.machine ?? volume.bricks[(lab.round - 1) % volume.bricks.length]?.node ?? "";
    const file = `${volume.mountPoint}/${fileName}`;
    await lab.must(worker, startRecording(recording, `python3 -c '${writer(file)}'`));
    try {
      await lab.pause(BEFORE_MS);
      await lab.kill(lost);
      await lab.pause(DOWN_MS);
      const written = parseWritten(await lab.must(worker, stopRecording(recording)));
      const copies = [await lab.must(reader, `cat ${file}`)];
      const started = performance.now();
      await lab.start(lost);
      await lab.until("all copies are healed", HEALED_MS, async () => (await incompleteCopies(lab)).length === 0);
      const healed = Math.round(performance.now() - started);
      for (const { node, folder } of bricksWithData(volume))
        copies.push(await lab.must(node, `cat ${folder}/${fileName}`));
      const values = {
        "write-stall": written.longestMs,
        "refused-writes": written.refused,
        "lost-writes": missingLines(written.acknowledged, copies),
        recovery: healed,
      };
      return [{ values }];
    } finally {
      await lab.on(worker, `${removeRecordings}; rm -f ${file}`);
    }
  },
};

function volumeOf({ volume }: DataCenterPlan): VolumePlan {
  if (volume === undefined) throw new Error("the stack has no volume");
  return volume;
}

/** An arbiter stores names, but no data. */
const bricksWithData = ({ bricks, shape }: VolumePlan): readonly BrickPlan[] =>
  shape === "arbiter" ? bricks.slice(0, -1) : bricks;

/** Copies of the volume that have pending heals or do not respond; empty = all copies are healed. */
async function incompleteCopies(lab: Laboratory): Promise<readonly string[]> {
  const { volume } = lab.plan;
  const [first] = volume?.bricks ?? [];
  if (volume === undefined || first === undefined || volume.shape === "single") return [];
  const { stdout } = await lab.on(first.node, `gluster --mode=script volume heal ${volume.name} info summary`);
  // One paragraph per brick: `Brick ADDRESS:FOLDER`, `Status: …`, `Total Number of entries: N`, where `-` means that the
  // brick does not respond.
  const healed = stdout.split("\n\n").filter((paragraph) => /^Total Number of entries: 0$/m.test(paragraph));
  return volume.bricks
    .filter(({ address, folder }) => !healed.some((paragraph) => paragraph.startsWith(`Brick ${address}:${folder}\n`)))
    .map(({ node }) => `the copy of the volume on ${node} is not healed`);
}

interface Written {
  readonly acknowledged: readonly string[];
  readonly refused: number;
  /** Between two acknowledged lines, or since the last one. */
  readonly longestMs: number;
}

/** @throws Error when no write was acknowledged */
export function parseWritten(text: string): Written {
  const lines = text
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const acknowledged = lines.filter(([, what]) => what === "acknowledged");
  if (acknowledged.length === 0) throw new Error(`no write to the volume was acknowledged: ${text.slice(0, 200)}`);
  const times = lines.filter(([, what]) => what !== "refused").map(([time]) => Number(time));
  return {
    acknowledged: acknowledged.map(([, , number = ""]) => number),
    refused: lines.filter(([, what]) => what === "refused").length,
    longestMs: longestGap(times),
  };
}

/** The number of lines that at least one copy lacks. */
export function missingLines(lines: readonly string[], copies: readonly string[]): number {
  const present = copies.map((copy) => new Set(copy.split("\n")));
  return lines.filter((line) => present.some((copy) => !copy.has(line))).length;
}
