import { createHash, type Hash, type Hmac } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";

/** What a member says about its snapshot before it sends it. */
export interface SnapshotHead {
  /** The snapshot contains every change up to this one, and maybe later ones. */
  readonly revision: number;
  /** Of etcd. */
  readonly version: string;
  readonly size: number;
  /** SHA-256 of the database without the digest that follows it. */
  readonly digest: string;
}

const HEAD_LINES = 3;
const DIGEST_BYTES = 32;
/** Three lines of a few hundred bytes. */
const LARGEST_HEAD = 64 * 1024;

/** The digest of a content, and the one that was appended to it: the last bytes. So etcd ends a snapshot of its database. */
export class AppendedDigest {
  private pending: Buffer = Buffer.alloc(0);

  /** @param hash of 32 bytes */
  constructor(private readonly hash: Hash | Hmac = createHash("sha256")) {}

  /** Returns what is certain to belong to the content. */
  update(chunk: Buffer): Buffer {
    const known = Buffer.concat([this.pending, chunk]);
    const end = Math.max(0, known.length - DIGEST_BYTES);
    const content = known.subarray(0, end);
    this.hash.update(content);
    this.pending = Buffer.from(known.subarray(end));
    return content;
  }

  /** Both in hex. To be called once, after the last chunk. */
  end(): { readonly computed: string; readonly appended: string } {
    return { computed: this.hash.digest("hex"), appended: this.pending.toString("hex") };
  }
}

/**
 * Reads the output of take-snapshot.sh: passes the snapshot's bytes on, and fails unless all of them arrive as the member
 * has verified them.
 */
export class SnapshotStream extends Transform {
  /** Never rejects: the script's exit code and error output say more than an output that ends early. */
  readonly head: Promise<SnapshotHead>;
  private announce: (head: SnapshotHead) => void = () => undefined;
  private announced: SnapshotHead | undefined;
  private unfinishedHead: Buffer = Buffer.alloc(0);
  private received = 0;
  private readonly digest = new AppendedDigest();

  constructor() {
    super();
    this.head = new Promise((resolve) => {
      this.announce = resolve;
    });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      if (this.announced) this.receive(chunk);
      else this.readHead(Buffer.concat([this.unfinishedHead, chunk]));
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.findDamage());
  }

  private findDamage(): Error | undefined {
    const { announced, received } = this;
    // An output without a snapshot has failed before it; the exit code says so.
    if (!announced) return undefined;
    if (received !== announced.size) return damaged(`${received} of ${announced.size} bytes arrived`);
    const { computed, appended } = this.digest.end();
    const isRight = computed === announced.digest && appended === announced.digest;
    return isRight ? undefined : damaged(`its digest is ${computed}, and the member sent ${announced.digest}`);
  }

  private readHead(buffer: Buffer): void {
    let end = 0;
    for (let line = 0; line < HEAD_LINES; line++) {
      end = buffer.indexOf("\n", end) + 1;
      if (end > 0) continue;
      if (buffer.length > LARGEST_HEAD) throw damaged("its head is too long");
      this.unfinishedHead = buffer;
      return;
    }
    const head = parseHead(buffer.toString("utf8", 0, end).split("\n"));
    this.announced = head;
    this.announce(head);
    this.receive(buffer.subarray(end));
  }

  private receive(chunk: Buffer): void {
    this.received += chunk.length;
    this.digest.update(chunk);
    this.push(chunk);
  }
}

function parseHead([answer = "", status = "", sizeAndDigest = ""]: readonly string[]): SnapshotHead {
  const [, size, digest] = /^(\d+) ([0-9a-f]{64})$/.exec(sizeAndDigest) ?? [];
  if (size === undefined || digest === undefined) throw damaged("its size and digest are missing");
  const { header } = JSON.parse(answer) as { readonly header: { readonly revision: number } };
  const [member] = JSON.parse(status) as readonly { readonly Status: { readonly version: string } }[];
  if (!Number.isSafeInteger(header.revision) || !member) throw damaged("the member did not report its state");
  return { revision: header.revision, version: member.Status.version, size: Number(size), digest };
}

const damaged = (what: string): Error => new Error(`the snapshot is damaged: ${what}`);
