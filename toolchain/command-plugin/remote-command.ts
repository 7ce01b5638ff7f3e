import type { Readable } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import type { Properties } from "../../provider/rpc/property-values";
import { type Connection, readConnection } from "./connection";
import { dial } from "./dial";
import { OutputCollector } from "./output-collector";
import { abortError, type CommandOutput, previousOutputEnvironment, type Step, stepFailure } from "./run-step";

/** Runs a command over SSH, through the connection's proxy if it has one. */
export async function runRemote(step: Step, properties: Properties): Promise<CommandOutput> {
  const connection = readConnection(properties.connection);
  const proxy = connection.proxy && (await dial(connection.proxy, step.context));
  try {
    const client = await dial(connection, step.context, proxy && (() => forward(proxy, connection)));
    try {
      return await execute(client, step);
    } finally {
      client.end();
    }
  } finally {
    proxy?.end();
  }
}

function forward(proxy: Client, { host, port }: Connection): Promise<Readable> {
  return new Promise((resolve, reject) => {
    proxy.forwardOut("127.0.0.1", 0, host, port, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

function execute(client: Client, step: Step): Promise<CommandOutput> {
  const { signal } = step.context;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(abortError(step.context));
      client.destroy();
    };
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    client.on("error", reject);
    client.on("close", () => {
      signal.removeEventListener("abort", stop);
      reject(new Error("the connection was lost while the command ran"));
    });
    client.exec(step.command, { env: previousOutputEnvironment(step) }, (error, channel) => {
      if (error) reject(error);
      else follow(channel, step).then(resolve, reject);
    });
  });
}

function follow(channel: ClientChannel, step: Step): Promise<CommandOutput> {
  return new Promise((resolve, reject) => {
    const output = new OutputCollector(step, channel, channel.stderr);
    channel.on("close", (code: number | null | undefined, signal?: string) => {
      const collected = output.finish();
      if (code === 0) return resolve(collected);
      const reason =
        typeof code === "number" ? `Process exited with status ${code}` : `Process exited from signal ${signal}`;
      reject(stepFailure(step, reason, output.interleaved()));
    });
    channel.end(step.inputs.stdin);
  });
}
