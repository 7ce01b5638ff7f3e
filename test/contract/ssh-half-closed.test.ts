// The stream to a node through the gateway ends in one direction, as when the node's machine stops.
import assert from "node:assert/strict";
import { once } from "node:events";
import * as net from "node:net";
import { after, before, test } from "node:test";
import type { ClientChannel } from "ssh2";
import { UnreachableError } from "../../guests/guest-ssh";
import { SshConnection } from "../../guests/ssh-connection";
import { type SshServer, startSshServer } from "../support/ssh-server";

let server: SshServer;
before(async () => {
  server = await startSshServer();
});
after(() => server?.stop());

test("a connection whose stream has ended in one direction is closed when it is used", async () => {
  const through = net.connect({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
  await once(through, "connect");
  const { port, hostKey, clientKey: privateKey } = server;
  const stream = through as unknown as ClientChannel;
  const connection = await SshConnection.open({ host: "127.0.0.1", port, hostKey, privateKey, through: stream });
  let closed = 0;
  connection.onClose(() => closed++);
  Object.defineProperty(through, "writable", { value: false }); // the other direction stays open
  await assert.rejects(connection.run("true"), (error: Error) => {
    assert.ok(error instanceof UnreachableError);
    assert.match(error.message, /cannot start a command: Not connected/);
    return true;
  });
  assert.equal(closed, 1, "the next use opens another one");
  through.destroy();
});
