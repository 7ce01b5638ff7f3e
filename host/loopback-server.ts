import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "../model/user-error";
import { portHolder } from "./ports";

export interface LoopbackServer {
  readonly port: number;
  /** Ends all connections, also those that are still being answered. */
  close(): Promise<void>;
}

/**
 * Serves HTTP on 127.0.0.1 only.
 *
 * @param port 0: a free one
 * @throws UserError `port-taken`
 */
export async function serveOnLoopback(handle: http.RequestListener, port = 0): Promise<LoopbackServer> {
  const server = http.createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 10_000 }, handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port, exclusive: true }, resolve);
  }).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE" && error.code !== "EACCES") throw error;
    const holder = error.code === "EADDRINUSE" ? await portHolder(port) : undefined;
    const why = error.code === "EACCES" ? "needs root" : `is used${holder ? ` by ${holder}` : ""}`;
    throw new UserError("port-taken", `port ${port} of 127.0.0.1 ${why}`, "choose another one with --port, or none");
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
