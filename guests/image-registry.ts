import * as https from "node:https";
import { type ImageManifest, type ImageRegistry, UnavailableRegistryError } from "../model/image-registry";
import { registryName } from "../model/releases";
import { UserError } from "../model/user-error";

/** The stack's registry, as this host reaches it. */
export interface RegistryConnection {
  /** On 127.0.0.1. */
  readonly port: number;
  /** PEM: who signs its certificate. */
  readonly certificateAuthority: string;
  readonly signal?: AbortSignal;
}

/** Of one request: enough for a registry whose volume fails over to another storage machine. */
const IDLE_MS = 60_000;
const CHUNK_BYTES = 8 * 2 ** 20;
const manifestTypes = [
  ...["application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"],
  ...["application/vnd.docker.distribution.manifest.v2+json"],
].join(", ");

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** A client of the OCI distribution API over TLS, which trusts the stack's authority only. `close` ends its connection. */
export function imageRegistry(connection: RegistryConnection): ImageRegistry & { close(): void } {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  const send = (sent: Sent): Promise<Answer> => request(connection, agent, sent);
  const expect = async (sent: Sent, status: number, what: string): Promise<Answer> => {
    const answer = await send(sent);
    if (answer.status !== status) throw refusal(answer, what);
    return answer;
  };
  const head = async (path: string, what: string): Promise<Answer | undefined> => {
    const answer = await send({ method: "HEAD", path, headers: { accept: manifestTypes } });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw refusal(answer, what);
    return answer;
  };
  return {
    async manifestDigest(repository, reference) {
      const answer = await head(`/v2/${repository}/manifests/${reference}`, `read ${repository}:${reference}`);
      return answer && String(answer.headers["docker-content-digest"] ?? "");
    },
    async hasBlob(repository, digest) {
      return (await head(`/v2/${repository}/blobs/${digest}`, `read ${digest}`)) !== undefined;
    },
    async upload(repository, digest, chunks) {
      const what = `take ${digest}`;
      const begun = await expect({ method: "POST", path: `/v2/${repository}/blobs/uploads/`, body: empty }, 202, what);
      let at = placeOf(begun, what);
      let offset = 0;
      for await (const body of inChunks(chunks)) {
        const headers = {
          "content-type": "application/octet-stream",
          "content-range": `${offset}-${offset + body.length - 1}`,
        };
        at = placeOf(await expect({ method: "PATCH", path: at, headers, body }, 202, what), what);
        offset += body.length;
      }
      const path = `${at}${at.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
      await expect({ method: "PUT", path, body: empty }, 201, what);
    },
    async putManifest(repository, reference, { mediaType, bytes }: ImageManifest) {
      const path = `/v2/${repository}/manifests/${reference}`;
      const headers = { "content-type": mediaType };
      await expect({ method: "PUT", path, headers, body: bytes }, 201, `take ${repository}:${reference}`);
    },
    close: () => agent.destroy(),
  };
}

const empty = Buffer.alloc(0);

/** Of the same size, except the last one. */
async function* inChunks(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let kept: Buffer[] = [];
  let bytes = 0;
  for await (const part of parts) {
    kept.push(part);
    bytes += part.length;
    if (bytes < CHUNK_BYTES) continue;
    const all = Buffer.concat(kept);
    for (let from = 0; from + CHUNK_BYTES <= all.length; from += CHUNK_BYTES)
      yield all.subarray(from, from + CHUNK_BYTES);
    kept = [all.subarray(all.length - (all.length % CHUNK_BYTES))];
    bytes = kept[0]?.length ?? 0;
  }
  if (bytes > 0) yield Buffer.concat(kept);
}

/** Where the upload goes on. Only its path counts: the next request goes to the same registry. */
function placeOf({ headers }: Answer, what: string): string {
  const location = headers.location;
  if (typeof location !== "string") throw new UnavailableRegistryError(`the registry did not ${what}: no location`);
  const { pathname, search } = new URL(location, `https://${registryName}`);
  return `${pathname}${search}`;
}

function request(
  { port, certificateAuthority, signal }: RegistryConnection,
  agent: https.Agent,
  { method, path, headers = {}, body }: Sent,
): Promise<Answer> {
  const options = {
    ...{ host: "127.0.0.1", port, method, path, agent, signal, timeout: IDLE_MS },
    ...{ ca: certificateAuthority, servername: registryName },
    headers: { ...headers, ...(body && { "content-length": body.length }) },
  };
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(signal?.aborted ? signal.reason : failure(error, port));
    const sent = https.request(options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part)).on("error", fail);
      response.on("end", () =>
        resolve({
          ...{ status: response.statusCode ?? 0, headers: response.headers },
          text: Buffer.concat(parts).toString("utf8"),
        }),
      );
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${IDLE_MS / 1000} s`))).on("error", fail);
    sent.end(body);
  });
}

/** TLS names them, whatever is wrong with a certificate. */
const ofCertificate = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ALTNAME/;

function failure(error: NodeJS.ErrnoException, port: number): Error {
  const reason = error.code ?? error.message;
  if (!ofCertificate.test(reason))
    return new UnavailableRegistryError(`the registry does not respond on 127.0.0.1:${port}: ${reason}`);
  return new UserError(
    "registry-certificate",
    `what listens on 127.0.0.1:${port} has no certificate of this stack's authority (${reason})`,
    "check hostPorts.registry: another stack or program may have the port; `npx groundplane start` repeats what `up` has not completed",
  );
}

function refusal({ status, text }: Answer, what: string): Error {
  const reason = `${status}${describeErrors(text)}`;
  if (status >= 500 || status === 429) return new UnavailableRegistryError(`the registry did not ${what}: ${reason}`);
  return new UserError(
    "registry-refused",
    `the registry did not ${what}: ${reason}`,
    "`kubectl --namespace kube-system logs deployment/registry` shows the reason",
  );
}

/** Of the registry: `{errors: [{code, message}]}`. */
function describeErrors(text: string): string {
  try {
    const { errors = [] } = JSON.parse(text) as { readonly errors?: readonly { code?: string; message?: string }[] };
    return errors.map(({ code, message }) => ` ${code}: ${message}`).join(",");
  } catch {
    return "";
  }
}
