/** When an `up` gave a node another image, by the clock of `performance.now`. */
export interface RolledNode {
  readonly node: string;
  readonly startedMs: number;
  readonly endedMs: number;
}

const IMAGE = /^\s*\S+\s+groundplane:index:NodeImage (\S+)-image (updating|updated)\b/;

/** Collects the nodes that get another image, from the lines of `pulumi up`, which repeats them with their progress. */
export class RolledNodes {
  private readonly started = new Map<string, number>();
  private readonly ended: RolledNode[] = [];

  /** @param now when the line came */
  read(line: string, now: number): void {
    const [, node, verb] = IMAGE.exec(line) ?? [];
    if (node === undefined) return;
    const startedMs = this.started.get(node);
    if (verb === "updating" && startedMs === undefined) this.started.set(node, now);
    if (verb === "updated" && startedMs !== undefined && !this.ended.some((one) => one.node === node))
      this.ended.push({ node, startedMs, endedMs: now });
  }

  /** In the order in which they were complete. */
  get nodes(): readonly RolledNode[] {
    return this.ended;
  }
}
