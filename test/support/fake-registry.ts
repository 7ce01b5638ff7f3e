import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { digestOf } from "./image-archives";

/** What a test knows of a registry on loopback. */
export interface RegistryUnderTest {
  readonly port: number;
  stop(): Promise<void>;
}

export interface ServerKeys {
  readonly certificate: string;
  readonly key: string;
}

/** A registry in memory that passes the contract of test/contract/registry-contract.ts, as the real one does. */
export class FakeRegistry implements RegistryUnderTest {
  readonly requests: string[] = [];
  /** The next requests that begin so are cut. */
  readonly cut: string[] = [];
  port = 0;
  private readonly blobs = new Map<string, Buffer>();
  private readonly manifests = new Map<string, { readonly type: string; readonly bytes: Buffer }>();
  private readonly uploads = new Map<string, Buffer>();
  private server?: https.Server;

  async start({ certificate, key }: ServerKeys): Promise<this> {
    this.server = https.createServer({ cert: certificate, key }, (request, response) => {
      void this.answer(request, response);
    });
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const line = `${method} ${url}`;
    const cut = this.cut.findIndex((begin) => line.startsWith(begin));
    if (cut >= 0) {
      this.cut.splice(cut, 1);
      request.socket.destroy();
      return;
    }
    this.requests.push(line);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { pathname, searchParams } = new URL(url, "https://registry");
    const [, repository = "", kind = "", name = "", upload] =
      /^\/v2\/(.+)\/(blobs|manifests)\/([^/]*)(?:\/(.*))?$/.exec(pathname) ?? [];
    const sent = { method, repository, name, body: Buffer.concat(parts), type: String(headers["content-type"] ?? "") };
    const answer =
      kind === "manifests"
        ? this.ofManifest(sent)
        : upload === undefined
          ? this.ofBlob(name)
          : this.ofUpload({ ...sent, upload, range: headers["content-range"], digest: searchParams.get("digest") });
    const length = { "content-length": answer.body?.length ?? 0 };
    response
      .writeHead(answer.status, { ...answer.headers, ...length })
      .end(method === "HEAD" ? undefined : answer.body);
  }

  private ofBlob(digest: string): Answer {
    const body = this.blobs.get(digest);
    return body ? { status: 200, body } : refused(404, "BLOB_UNKNOWN");
  }

  private ofManifest({ method, repository, name, body, type }: Sent): Answer {
    const key = `${repository}:${name}`;
    if (method !== "PUT") {
      const found = this.manifests.get(key);
      if (!found) return refused(404, "MANIFEST_UNKNOWN");
      const headers = { "docker-content-digest": digestOf(found.bytes), "content-type": found.type };
      return { status: 200, headers, body: found.bytes };
    }
    const { config, layers } = JSON.parse(body.toString()) as Record<"config" | "layers", { digest: string }>;
    const parts = [config, ...(layers as unknown as readonly { digest: string }[])];
    if (!parts.every(({ digest }) => this.blobs.has(digest))) return refused(400, "MANIFEST_BLOB_UNKNOWN");
    this.manifests.set(key, { type, bytes: body });
    return { status: 201 };
  }

  private ofUpload({ method, repository, upload, range, digest, body }: SentUpload): Answer {
    const id = method === "POST" ? randomUUID() : upload;
    const present = method === "POST" ? Buffer.alloc(0) : this.uploads.get(id);
    if (!present) return refused(404, "BLOB_UPLOAD_UNKNOWN");
    if (method === "PATCH" && range !== undefined && Number(range.split("-")[0]) !== present.length)
      return refused(416, "RANGE_INVALID");
    const all = Buffer.concat([present, body]);
    if (method !== "PUT") {
      this.uploads.set(id, all);
      // As the real one: an absolute address with a state.
      const location = `https://127.0.0.1:${this.port}/v2/${repository}/blobs/uploads/${id}?_state=${all.length}`;
      return { status: 202, headers: { location } };
    }
    this.uploads.delete(id);
    if (digest !== digestOf(all)) return refused(400, "DIGEST_INVALID");
    this.blobs.set(digest, all);
    return { status: 201 };
  }
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}
interface Sent {
  readonly method: string;
  readonly repository: string;
  readonly name: string;
  readonly body: Buffer;
  readonly type: string;
}
interface SentUpload extends Sent {
  readonly upload: string;
  readonly range: string | undefined;
  readonly digest: string | null;
}

const refused = (status: number, code: string): Answer => ({
  status,
  body: Buffer.from(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] })),
});
