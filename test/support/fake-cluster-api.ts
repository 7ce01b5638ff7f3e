import { webcrypto } from "node:crypto";
import type { IncomingMessage } from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import * as x509 from "@peculiar/x509";
import type { ApiConnection } from "../../model/resource-types";
import { makeClusterKeys } from "../../provider/resources/cluster-keys";

// biome-ignore lint/suspicious/noExplicitAny: documents of any kind
type Document = Record<string, any>;

/** The part of the Kubernetes API that cluster objects use, in memory: server-side apply, defaults, namespaces that end slowly. */
export interface FakeClusterApi {
  readonly connection: ApiConnection;
  /** By path. Tests change them as a user does. */
  readonly objects: Map<string, Document>;
  /** `METHOD path`, without queries. */
  readonly requests: string[];
  /** The next requests are answered with this status. */
  failNext(count: number, status: number): void;
  /** Starts the deletion of a namespace, which lasts for this number of further requests to it. */
  endNamespace(name: string, requests: number): void;
  stop(): Promise<void>;
}

export async function fakeClusterApi(): Promise<FakeClusterApi> {
  const keys = await makeClusterKeys();
  const objects = new Map<string, Document>();
  for (const name of ["kube-system", "kube-public"]) objects.set(`/api/v1/namespaces/${name}`, namespaceObject(name));
  const requests: string[] = [];
  const failures = { count: 0, status: 0 };
  const ending = new Map<string, number>();
  const answer = (method: string, path: string, body: Document, type = ""): readonly [number, Document] => {
    requests.push(`${method} ${path}`);
    if (failures.count-- > 0) return failed(failures.status, "the API is starting");
    const [, namespace] = /^\/apis?\/(?:[\w.]+\/)?v1\/namespaces\/([^/]+)/.exec(path) ?? [];
    if (namespace !== undefined) proceedWithEnd(namespace, ending, objects);
    if (type.startsWith("application/merge-patch")) return [200, mergePatched(objects.get(path) ?? {}, body)];
    return handle(objects, method, path, body);
  };
  const identity = {
    ...(await serverCertificate(keys)),
    ca: [keys["kubernetes-ca.crt"] ?? "", keys["admin.crt"] ?? ""],
  };
  const options = { ...identity, requestCert: true, rejectUnauthorized: false };
  const server = https.createServer(options, async (request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    const sent = await bodyOf(request);
    const isKnown = (request.socket as TLSSocket).authorized;
    const [status, body] = isKnown
      ? answer(request.method ?? "", path, sent, request.headers["content-type"])
      : failed(401, "Unauthorized");
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    connection: {
      server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      certificateAuthority: keys["kubernetes-ca.crt"] ?? "",
      clientCertificate: keys["admin.crt"] ?? "",
      clientKey: keys["admin.key"] ?? "",
    },
    objects,
    requests,
    failNext: (count, status) => Object.assign(failures, { count, status }),
    endNamespace(name, count) {
      const namespace = objects.get(`/api/v1/namespaces/${name}`);
      if (namespace) namespace.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
      ending.set(name, count);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const namespaceObject = (name: string): Document => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

const failed = (code: number, message: string): readonly [number, Document] => [
  code,
  { kind: "Status", apiVersion: "v1", status: "Failure", message, code },
];

function proceedWithEnd(name: string, ending: Map<string, number>, objects: Map<string, Document>): void {
  const left = ending.get(name);
  if (left === undefined) return;
  ending.set(name, left - 1);
  if (left > 0) return;
  ending.delete(name);
  for (const path of objects.keys()) if (`${path}/`.includes(`/namespaces/${name}/`)) objects.delete(path);
}

function handle(
  objects: Map<string, Document>,
  method: string,
  path: string,
  body: Document,
): readonly [number, Document] {
  const present = objects.get(path);
  if (method === "GET") return present ? [200, present] : failed(404, `${path} not found`);
  if (method === "DELETE") {
    if (!objects.delete(path)) return failed(404, `${path} not found`);
    return [200, { kind: "Status", status: "Success" }];
  }
  const [, namespace] = /\/namespaces\/([^/]+)\/[a-z]/.exec(path) ?? [];
  const home = namespace === undefined ? namespaceObject("") : objects.get(`/api/v1/namespaces/${namespace}`);
  if (!home) return failed(404, `namespaces "${namespace}" not found`);
  if (!present && home.metadata.deletionTimestamp) {
    return failed(403, `unable to create new content in namespace ${namespace} because it is being terminated`);
  }
  if (Array.isArray(body)) {
    if (present) present.metadata.managedFields = body[0].value;
    return [200, present ?? {}];
  }
  if (present && JSON.stringify(present.roleRef) !== JSON.stringify(body.roleRef)) {
    return failed(422, `${body.kind} is invalid: roleRef: Invalid value: cannot change roleRef`);
  }
  objects.set(path, applied(present ?? {}, body));
  return [present ? 200 : 201, objects.get(path) ?? {}];
}

/** Server-side apply: fields that only our former text has are removed, others stay, and defaults are added. */
function applied(present: Document, body: Document): Document {
  const managers: Document[] = present.metadata?.managedFields ?? [];
  const ours = managers.find(({ manager }) => manager === "groundplane");
  const others = managers.filter(({ manager }) => manager !== "groundplane");
  const isOthers = (field: string): boolean => others.some(({ fields = [] }) => fields.includes(field));
  const kept = { ...present };
  for (const field of ours?.fields ?? []) if (!(field in body) && !isOthers(field)) delete kept[field];
  const merged = merge(kept, body);
  const entry = { manager: "groundplane", operation: "Apply", fields: Object.keys(body) };
  const spec = merged.kind === "Deployment" ? { spec: { progressDeadlineSeconds: 600, ...merged.spec } } : {};
  return {
    ...merged,
    ...spec,
    status: { observed: true },
    metadata: { uid: "1", ...merged.metadata, managedFields: [...others, entry] },
  };
}

function merge(one: Document, other: Document): Document {
  const isMap = (value: unknown): value is Document =>
    value !== null && typeof value === "object" && !Array.isArray(value);
  const entries = Object.entries(other).map(([key, value]) => {
    const before = one[key];
    return [key, isMap(value) && isMap(before) ? merge(before, value) : value];
  });
  return { ...one, ...Object.fromEntries(entries) };
}

/** Changes the target; null removes. */
function mergePatched(target: Document, patch: Document): Document {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete target[key];
    else target[key] = typeof value === "object" ? mergePatched(target[key] ?? {}, value) : value;
  }
  return target;
}

async function bodyOf(request: IncomingMessage): Promise<Document> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString("utf8");
  return text === "" ? {} : JSON.parse(text);
}

/** A certificate for 127.0.0.1 from the cluster's own authority. */
export async function serverCertificate(keys: Record<string, string>): Promise<{ key: string; cert: string }> {
  x509.cryptoProvider.set(webcrypto);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const pair = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const authority = new x509.X509Certificate(keys["kubernetes-ca.crt"] ?? "");
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "CN=kube-apiserver",
    issuer: authority.subject,
    notBefore: authority.notBefore,
    notAfter: authority.notAfter,
    signingAlgorithm: algorithm,
    publicKey: pair.publicKey,
    signingKey: await privateKeyOf(keys["kubernetes-ca.key"] ?? ""),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }])],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", pair.privateKey)).toString("base64");
  const pem = `-----BEGIN PRIVATE KEY-----\n${key.replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
  return { key: pem, cert: certificate.toString("pem") };
}

async function privateKeyOf(pem: string): Promise<webcrypto.CryptoKey> {
  const { createPrivateKey } = await import("node:crypto");
  const der = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
}
