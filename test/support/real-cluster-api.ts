import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { secretValue } from "../../components/secrets";
import { clusterApi } from "../../guests/cluster-api";
import { partsFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { imageFor } from "../../image/recipes/image-names";
import { defaultKubernetesVersion, releaseOf } from "../../model/releases";
import type { ApiConnection } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import { makeClusterKeys } from "../../provider/resources/cluster-keys";
import { patienceMs } from "./cluster-under-test";
import { serverCertificate } from "./fake-cluster-api";

type Keys = Readonly<Record<string, string>>;

/** Kubernetes' own API server with its etcd, as two processes of this host: no controllers, no nodes. */
export interface RealClusterApi {
  readonly connection: ApiConnection;
  /** `kubectl` as the administrator. */
  readonly kubectl: readonly string[];
  readonly keys: Keys;
  /** Where it accepts clients from. */
  readonly clientsFile: string;
  readonly port: number;
  /** Of its files: `encryption.yaml`, `sa.key`, `sa.pub`. */
  readonly folder: string;
  /** Of etcd, for `etcdctl`. */
  readonly etcdUrl: string;
  /** Of its present process. */
  processId(): number;
  /** Reads all files again. */
  restart(): Promise<void>;
  stop(): void;
}

type Program = "etcd" | "etcdctl" | "kube-apiserver" | "kubeadm" | "kubectl";

/** Why programs are not on this host; an image that comes from a bundle has no separate programs. */
export async function missingPrograms(...programs: readonly Program[]): Promise<string | undefined> {
  try {
    await ensureImages(localHost, { names: [imageFor("kubernetes", defaultKubernetesVersion, "tree")] });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `the image cannot be had: ${error.problem}`;
  }
  const missing = programs.find((name) => builtProgram(name) === undefined);
  return missing && `the image cannot be had: ${missing} was not built here`;
}

/** The programs that were built for the images; `undefined` when they are not on this host. */
export function builtProgram(name: Program): string | undefined {
  const release = releaseOf(defaultKubernetesVersion);
  const prefix = name.startsWith("etcd") ? `etcd-${release.etcd}-` : `kubernetes-${defaultKubernetesVersion}-`;
  const parts = fs.existsSync(partsFolder()) ? fs.readdirSync(partsFolder()) : [];
  return parts
    .filter((part) => part.startsWith(prefix) && !part.includes(".partial"))
    .map((part) => path.join(partsFolder(), part, "content", name))
    .find((file) => fs.existsSync(file));
}

/** @param moreFlags of the API server, e.g. of files that it writes into the folder */
export async function realClusterApi(
  moreFlags: (folder: string, keys: Keys) => readonly string[] = () => [],
): Promise<RealClusterApi> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-api-"));
  const keys = await makeClusterKeys();
  const { key, cert } = await serverCertificate(keys);
  const file = (name: string, content: string): string => {
    const target = path.join(folder, name);
    fs.writeFileSync(target, content, { mode: 0o600 });
    return target;
  };
  const secret = (name: string): string => file(name, keys[name] ?? "");
  const [etcdPort, peerPort, port] = await Promise.all([freePort(), freePort(), freePort()]);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const flags = moreFlags(folder, keys);
  const etcd = start(folder, builtProgram("etcd"), [
    ...["--data-dir", path.join(folder, "etcd"), "--listen-client-urls", etcdUrl, "--advertise-client-urls", etcdUrl],
    ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
    ...["--initial-cluster", `default=${peerUrl}`, "--unsafe-no-fsync"],
  ]);
  const ca = secret("kubernetes-ca.crt");
  const clientsFile = file("clients.crt", `${keys["kubernetes-ca.crt"]}${keys["admin.crt"]}`);
  const encryption = file("encryption.yaml", secretValue(keys, "encryption-configuration"));
  const words = [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${port}`,
    "--bind-address=127.0.0.1",
    `--tls-cert-file=${file("server.crt", cert)}`,
    `--tls-private-key-file=${file("server.key", key)}`,
    `--client-ca-file=${clientsFile}`,
    "--authorization-mode=Node,RBAC",
    "--allow-privileged=true",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${file("sa.pub", keys["service-account.pub"] ?? "")}`,
    `--service-account-signing-key-file=${file("sa.key", keys["service-account.key"] ?? "")}`,
    `--encryption-provider-config=${encryption}`,
    `--cert-dir=${folder}`,
    ...flags,
  ];
  let apiServer = start(folder, builtProgram("kube-apiserver"), words);
  const server = `https://127.0.0.1:${port}`;
  const connection = {
    server,
    certificateAuthority: keys["kubernetes-ca.crt"] ?? "",
    clientCertificate: keys["admin.crt"] ?? "",
    clientKey: keys["admin.key"] ?? "",
  };
  const stop = (): void => {
    for (const child of [apiServer, etcd]) child.kill("SIGKILL");
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const restart = async (): Promise<void> => {
    const ended = once(apiServer, "close");
    apiServer.kill("SIGKILL");
    await ended;
    apiServer = start(folder, builtProgram("kube-apiserver"), words);
    await untilReady(connection);
  };
  const processId = (): number => apiServer.pid ?? 0;
  await untilReady(connection).catch((error: unknown) => {
    stop();
    throw error;
  });
  const identity = [`--client-certificate=${secret("admin.crt")}`, `--client-key=${secret("admin.key")}`];
  const kubectl = [builtProgram("kubectl") ?? "", `--server=${server}`, `--certificate-authority=${ca}`, ...identity];
  return { connection, kubectl, keys, clientsFile, port, folder, etcdUrl, processId, restart, stop };
}

function start(folder: string, program: string | undefined, args: readonly string[]) {
  if (program === undefined) throw new Error("the program is not built");
  const log = fs.openSync(path.join(folder, `${path.basename(program)}.log`), "w");
  return spawn(program, args, { cwd: folder, stdio: ["ignore", log, log] });
}

async function untilReady(connection: ApiConnection): Promise<void> {
  const api = clusterApi(connection);
  const end = Date.now() + patienceMs;
  for (;;) {
    const { status } = await api.request("GET", "/readyz").catch(() => ({ status: 0 }));
    if (status === 200) break;
    if (Date.now() > end) throw new Error("the API server is not ready in time");
    await sleep(200);
  }
  api.close();
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
