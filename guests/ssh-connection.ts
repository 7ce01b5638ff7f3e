import { createHash } from "node:crypto";
import { Client, type ClientChannel, type ConnectConfig } from "ssh2";
import { pinHostKey } from "../host/pin-host-key";
import { keysToTry, type UserKeys } from "./keys-to-try";
import { finish, type RunOptions, type RunResult, UnreachableError, withinLimits } from "./ssh-command";

export { LateError, type RunOptions, type RunResult, UnreachableError } from "./ssh-command";

/** One SSH connection as root, by key, to a server with a known host key, or one of several. */

export interface ServerAddress extends UserKeys {
  readonly host: string;
  readonly port: number;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** Accepted as well. */
  readonly formerHostKeys?: readonly string[];
  /** A stream to the server, if it is reached through another connection. */
  readonly through?: ClientChannel;
}

const HANDSHAKE_MS = 15_000;
const FORWARD_MS = 6_000;
/** sshd allows ten per connection by default. */
const SESSIONS = 8;

export class SshConnection {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly closing: (() => void)[] = [];

  private constructor(private readonly client: Client) {}

  static open(server: ServerAddress, signal?: AbortSignal): Promise<SshConnection> {
    signal?.throwIfAborted();
    const client = new Client();
    let refused: string | undefined;
    const refuse = (presented: Buffer): void => {
      refused =
        `its SSH host key ${fingerprint(presented)} is not the node's: another program or machine may respond in its place, ` +
        "or its disk was restored from before a rotation of host keys, after which its machine must be recreated";
    };
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        client.destroy();
        reject(new UnreachableError(`${server.host}: ${refused ?? error.message}`, { cause: error }));
      };
      const aborted = (): void => {
        client.destroy();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", aborted, { once: true });
      client.on("ready", () => {
        signal?.removeEventListener("abort", aborted);
        resolve(new SshConnection(client));
      });
      // Never removed: a late error without a listener would end the process.
      client.on("error", fail);
      client.on("close", () => fail(new Error("the connection was closed")));
      client.connect(connectConfig(server, refuse));
    });
  }

  onClose(listener: () => void): void {
    this.closing.push(listener);
    this.client.on("close", listener);
  }

  /** The client does not notice the end of a stream through another server that stays open in one direction: it opens no channel again. */
  private readonly ended = (): void => {
    for (const listener of this.closing) listener();
  };

  close(): void {
    this.client.end();
  }

  /** Opens a stream to `host:port` as seen from the server. */
  forward(host: string, port: number): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new UnreachableError(`${host}: no response`)), FORWARD_MS);
      const lost = (error: Error): void => reject(new UnreachableError(`${host}: ${error.message}`, { cause: error }));
      this.ifConnected(lost, () =>
        this.client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
          clearTimeout(late);
          if (error) lost(error);
          else resolve(channel);
        }),
      );
    });
  }

  /** Runs `script` in the user's shell. A non-zero exit is a result, a lost connection an `UnreachableError`. */
  async run(script: string, options: RunOptions = {}): Promise<RunResult> {
    if (this.running >= SESSIONS) await this.turn(options);
    this.running++;
    try {
      options.signal?.throwIfAborted();
      return await this.start(script, options);
    } finally {
      this.running--;
      this.waiting.shift()?.();
    }
  }

  private async turn(options: RunOptions): Promise<void> {
    let next = (): void => {};
    const comes = withinLimits<void>(options, (resolve) => {
      next = resolve;
      this.waiting.push(next);
    });
    await comes.finally(() => {
      const index = this.waiting.indexOf(next);
      if (index >= 0) this.waiting.splice(index, 1);
    });
  }

  /** The client throws synchronously when its connection has ended. */
  private ifConnected(lost: (error: Error) => void, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.ended();
      lost(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** A connection that was lost unnoticed opens no channel, and does not say so. */
  private start(script: string, options: RunOptions): Promise<RunResult> {
    return withinLimits(options, (resolve, reject, isOver) => {
      const lost = (error: Error): void =>
        reject(new UnreachableError(`cannot start a command: ${error.message}`, { cause: error }));
      this.ifConnected(lost, () =>
        this.client.exec(script, (error, channel) => {
          if (error) return lost(error);
          if (isOver()) return channel.destroy();
          // Attach the listeners synchronously: the exit of a quick command may arrive in the next packet.
          finish(channel, options).then(resolve, reject);
        }),
      );
    });
  }
}

/** As ssh shows it. */
const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

function connectConfig(server: ServerAddress, refuse: (presented: Buffer) => void): ConnectConfig {
  return {
    host: server.host,
    port: server.port,
    sock: server.through,
    username: "root",
    authHandler: keysToTry(server),
    readyTimeout: HANDSHAKE_MS,
    keepaliveInterval: 5_000,
    keepaliveCountMax: 3,
    ...pinHostKey(server.hostKey, server.formerHostKeys, refuse),
  };
}
