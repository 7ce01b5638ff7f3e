import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as net from "node:net";
import { type AuthContext, type Connection, Server, type ServerChannel, utils } from "ssh2";
import { sshKeyOf } from "../../model/ssh-key";

/** An SSH server with its own keys on a free port of loopback. It runs commands with /bin/sh. */
export interface SshServer {
  readonly port: number;
  /** `TYPE BASE64` */
  readonly hostKey: string;
  /** A key that the server does not have. */
  readonly otherHostKey: string;
  /** Private key of the users `tester` and `root`. */
  readonly clientKey: string;
  /** Password of the user `proxy-user`. */
  readonly password: string;
  commands(): readonly string[];
  forwards(): number;
  /** Closes the next connections at once. */
  refuseNext(count: number): void;
  /** Commands get no answer from now on, on connections that stay open. */
  neverAnswer(isSilent: boolean): void;
  /** A port that accepts connections and sends nothing. */
  listenSilently(): Promise<number>;
  stop(): Promise<void>;
}

export const randomSshKey = () => sshKeyOf(randomBytes(32));

export async function startSshServer(): Promise<SshServer> {
  const [host, other, client] = [randomSshKey(), randomSshKey(), randomSshKey()];
  const seen = { commands: [] as string[], forwards: 0, refuse: 0, isSilent: false };
  const password = "proxy-password-of-the-test";
  const ssh = new Server({ hostKeys: [host.privateKey] }, (connection) => {
    connection.on("error", () => undefined);
    connection.on("authentication", (attempt) => authenticate(attempt, client.publicKey, password));
    connection.on("ready", () => serve(connection, seen));
  });
  const sockets = new Set<net.Socket>();
  const open = async (onConnection: (socket: net.Socket) => void): Promise<net.Server> => {
    const listener = net.createServer((socket) => {
      sockets.add(socket.on("error", () => undefined));
      onConnection(socket);
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    return listener;
  };
  const main = await open((socket) => {
    if (seen.refuse-- > 0) socket.destroy();
    else ssh.injectSocket(socket);
  });
  const listeners = [main];
  return {
    port: portOf(main),
    hostKey: host.publicKey,
    otherHostKey: other.publicKey,
    clientKey: client.privateKey,
    password,
    commands: () => seen.commands,
    forwards: () => seen.forwards,
    refuseNext: (count) => {
      seen.refuse = count;
    },
    neverAnswer: (isSilent) => {
      seen.isSilent = isSilent;
    },
    listenSilently: async () => {
      const silent = await open(() => undefined);
      listeners.push(silent);
      return portOf(silent);
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
    },
  };
}

const portOf = (listener: net.Server): number => (listener.address() as net.AddressInfo).port;

function authenticate(attempt: AuthContext, clientPublic: string, password: string): void {
  const key = utils.parseKey(clientPublic);
  if (key instanceof Error) throw key;
  const isRight =
    (attempt.method === "password" && attempt.username === "proxy-user" && attempt.password === password) ||
    (attempt.method === "publickey" &&
      ["tester", "root"].includes(attempt.username) &&
      attempt.key.data.equals(key.getPublicSSH()) &&
      (!attempt.signature || key.verify(attempt.blob as Buffer, attempt.signature, attempt.hashAlgo) === true));
  if (isRight) attempt.accept();
  else attempt.reject(["publickey", "password"]);
}

function serve(connection: Connection, seen: { commands: string[]; forwards: number; isSilent: boolean }): void {
  connection.on("session", (acceptSession) => {
    if (seen.isSilent) return;
    acceptSession().on("exec", (acceptExec, _reject, { command }) => {
      seen.commands.push(command);
      execute(acceptExec(), command);
    });
  });
  connection.on("tcpip", (accept, _reject, { destIP, destPort }) => {
    seen.forwards++;
    const channel = accept();
    const socket = net.connect(destPort, destIP);
    socket.on("error", () => channel.end());
    channel.on("error", () => socket.destroy());
    socket.pipe(channel).pipe(socket);
  });
}

function execute(channel: ServerChannel, command: string): void {
  const child = spawn("/bin/sh", ["-c", command]);
  child.stdin.on("error", () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  // As sshd does: a command that writes on ends.
  channel.on("close", () => {
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
  });
  child.on("close", (code) => {
    channel.exit(code ?? 1);
    channel.end();
  });
}
