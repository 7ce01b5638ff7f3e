import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ConnectConfig, utils } from "ssh2";
import { pinHostKey } from "../../host/pin-host-key";
import type { Context } from "../../provider/rpc/resource-handler";
import type { Connection } from "./connection";
import { abortError } from "./run-step";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const PAUSE_GROWTH = 1.5;
const KEEPALIVE_MS = 15_000;

/**
 * Connects. Retries until it succeeds or the connection's `dialErrorLimit` is reached, because a booting machine refuses
 * connections.
 * @param open a fresh stream to the host through a proxy for each attempt; absent: a socket of its own.
 */
export async function dial(connection: Connection, context: Context, open?: () => Promise<Readable>): Promise<Client> {
  const { dialErrorLimit: limit } = connection;
  const config = connectConfig(connection);
  let pause = FIRST_PAUSE_MS;
  for (let failures = 1; ; failures++) {
    try {
      return await connectOnce({ ...config, sock: await open?.() }, context);
    } catch (error) {
      if (context.signal.aborted) throw abortError(context);
      const reason = (error as Error).message;
      if (limit >= 0 && failures > limit) throw new Error(`after ${failures - 1} failed attempts: ${reason}`);
      context.log("info", `Dial ${failures}/${limit < 0 ? "inf" : limit} failed: retrying (${reason})`, true);
    }
    await sleep(pause, undefined, { signal: context.signal }).catch(() => {
      throw abortError(context);
    });
    pause = Math.min(pause * PAUSE_GROWTH, LONGEST_PAUSE_MS);
  }
}

function connectOnce(config: ConnectConfig, context: Context): Promise<Client> {
  const client = new Client();
  return new Promise<Client>((resolve, reject) => {
    const stop = (): void => {
      client.destroy();
      reject(abortError(context));
    };
    const settle = (act: () => void): void => {
      context.signal.removeEventListener("abort", stop);
      act();
    };
    if (context.signal.aborted) return stop();
    context.signal.addEventListener("abort", stop, { once: true });
    client
      .on("ready", () => settle(() => resolve(client)))
      .on("error", (error) =>
        settle(() => {
          client.destroy();
          reject(error);
        }),
      )
      .on("close", () => settle(() => reject(new Error("the connection was closed"))))
      .on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) =>
        answer(prompts.map(() => config.password ?? "")),
      )
      .connect(config);
  });
}

/** @throws Error on an invalid key, which no retry would change. */
function connectConfig(connection: Connection): ConnectConfig {
  checkPrivateKey(connection);
  return {
    host: connection.host,
    port: connection.port,
    username: connection.user,
    password: connection.password,
    privateKey: connection.privateKey,
    passphrase: connection.privateKeyPassword,
    agent: connection.agentSocketPath,
    tryKeyboard: connection.password !== undefined,
    readyTimeout: connection.perDialTimeout * 1000,
    // Without keepalives, a vanished host would block the command and the whole operation forever.
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: 4,
    ...(connection.hostKey === undefined ? {} : pinHostKey(connection.hostKey)),
  };
}

function checkPrivateKey({ privateKey, privateKeyPassword }: Connection): void {
  if (privateKey === undefined) return;
  const parsed = utils.parseKey(privateKey, privateKeyPassword);
  if (parsed instanceof Error) throw new Error(`connection.privateKey cannot be read: ${parsed.message}`);
}
