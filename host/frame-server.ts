import { createServer, type Server, type Socket } from "node:net";
import { removeTree } from "./file-store";

/** A peer on a frame socket: each frame is preceded by its length in four bytes, most significant first. */
export interface FramePeer {
  /** Sends frames, each preceded by its length. Drops frames that the peer does not read fast enough, like a switch. */
  send(framed: Buffer): void;
}

export interface FrameHandler {
  readonly joined: (peer: FramePeer) => void;
  readonly left: (peer: FramePeer) => void;
  /** Called with frames in the order of arrival, each preceded by its length, before the next ones are read. */
  readonly frames: (peer: FramePeer, frames: readonly Buffer[]) => void;
}

export interface FrameServer {
  /** Closes all connections and removes the socket. */
  close(): Promise<void>;
}

/** Longer than any frame that a virtual network card sends, even with segmentation offload. */
const MAX_FRAME = 256 * 1024;
/** Size of the queue for a peer that does not read. */
const MAX_WAITING = 4 * 1024 * 1024;
const LENGTH = 4;

/** Listens on a Unix socket, and replaces a socket that a killed process left. */
export async function listenForFrames(path: string, handler: FrameHandler): Promise<FrameServer> {
  await removeTree(path);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => serve(socket, sockets, handler));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return { close: () => closeAll(server, sockets) };
}

function serve(socket: Socket, sockets: Set<Socket>, handler: FrameHandler): void {
  const peer: FramePeer = {
    send: (framed) => {
      if (socket.writable && socket.writableLength < MAX_WAITING) socket.write(framed);
    },
  };
  let rest: Buffer = Buffer.alloc(0);
  sockets.add(socket);
  handler.joined(peer);
  socket.on("data", (chunk: Buffer) => {
    const split = splitFrames(rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk);
    // A peer that sends an invalid length does not use this protocol, and later frames cannot be found.
    if (!split) return socket.destroy();
    rest = split.rest;
    if (split.frames.length > 0) handler.frames(peer, split.frames);
    return undefined;
  });
  // An error is always followed by "close".
  socket.on("error", () => {});
  socket.on("close", () => {
    sockets.delete(socket);
    handler.left(peer);
  });
}

/** Complete frames, each preceded by its length, and the remaining bytes; `undefined` for an invalid length. */
export function splitFrames(bytes: Buffer): { readonly frames: readonly Buffer[]; readonly rest: Buffer } | undefined {
  const frames: Buffer[] = [];
  let at = 0;
  while (bytes.length - at >= LENGTH) {
    const end = at + LENGTH + bytes.readUInt32BE(at);
    if (end - at > MAX_FRAME) return undefined;
    if (end > bytes.length) break;
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}

function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
