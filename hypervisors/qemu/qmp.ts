import type { Host, LineConnection } from "../../model/host";

/** Time limit for an answer. QEMU is slow when it emulates on a busy host. */
const ANSWER_MS = 30_000;

/** A command that QEMU refused. */
export class QmpError extends Error {
  constructor(command: string, description: string) {
    super(`QEMU refuses ${command}: ${description}`);
    this.name = "QmpError";
  }
}

/** QEMU's protocol on a machine's socket. QEMU serves one client at a time, so connections are short. */
export interface Qmp {
  /** @throws QmpError */
  execute<T = unknown>(command: string, args?: Readonly<Record<string, unknown>>): Promise<T>;
  /** Runs a command of the human monitor and returns its output. */
  human(line: string): Promise<string>;
}

interface Message {
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** @throws Error when QEMU does not listen or answer */
export async function withQmp<T>(host: Host, socket: string, action: (qmp: Qmp) => Promise<T>): Promise<T> {
  const connection = await host.sockets.connectLines(socket);
  try {
    await connection.next(ANSWER_MS); // its greeting
    const qmp = session(connection);
    await qmp.execute("qmp_capabilities");
    return await action(qmp);
  } finally {
    connection.close();
  }
}

function session(connection: LineConnection): Qmp {
  let last = 0;
  async function execute<T>(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const id = ++last;
    connection.send(JSON.stringify({ execute: command, arguments: args, id }));
    for (;;) {
      // Events arrive in between; they have no id.
      const message = JSON.parse(await connection.next(ANSWER_MS)) as Message;
      if (message.id !== id) continue;
      if (message.error) throw new QmpError(command, message.error.desc);
      return message.return as T;
    }
  }
  return { execute, human: (line) => execute<string>("human-monitor-command", { "command-line": line }) };
}
