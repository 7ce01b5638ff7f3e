// The registry of the add-on passes the contract that the one of the tests passes. Builds the registry; `npm run e2e:applications` starts it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { registryObjects } from "../../cloud-init/files/kubernetes/add-ons/registry";
import { localHost } from "../../host/local-host";
import { allSources, ensurePart } from "../../image/parts/ensure-part";
import { addOnRecipe } from "../../image/recipes/add-ons";
import { defaultKubernetesVersion } from "../../model/releases";
import { registryContract } from "../contract/registry-contract";
import { examplePlan } from "../support/example-plans";
import type { RegistryUnderTest, ServerKeys } from "../support/fake-registry";
import { freePort, until } from "../support/host-observations";

interface Spec {
  readonly template: {
    readonly spec: {
      readonly containers: readonly { readonly env: readonly { readonly name: string; readonly value: string }[] }[];
    };
  };
}

/** The settings of its pod, with other places. */
function environmentOf(folder: string, port: number): Readonly<Record<string, string>> {
  const deployment = registryObjects(examplePlan("lab")).find(({ kind }) => kind === "Deployment");
  const [container] = (deployment?.spec as Spec | undefined)?.template.spec.containers ?? [];
  const own = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
  return {
    ...own,
    REGISTRY_HTTP_ADDR: `127.0.0.1:${port}`,
    REGISTRY_HTTP_TLS_CERTIFICATE: path.join(folder, "tls.crt"),
    REGISTRY_HTTP_TLS_KEY: path.join(folder, "tls.key"),
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: path.join(folder, "data"),
  };
}

async function startRegistry({ certificate, key }: ServerKeys): Promise<RegistryUnderTest> {
  const { programs, image } = addOnRecipe("registry", defaultKubernetesVersion);
  const context = { host: localHost, progress: () => {} };
  const built = await ensurePart({ kind: "programs", recipe: programs }, allSources(localHost), context);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-registry-"));
  const [settings = ""] = Object.values(image.texts ?? {});
  const files = { "tls.crt": certificate, "tls.key": key, "config.yml": settings };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  const port = await freePort();
  const argv = ["serve", path.join(folder, "config.yml")];
  const env = environmentOf(folder, port);
  const process: ChildProcess = spawn(path.join(built.content, "registry"), argv, { env, stdio: "inherit" });
  await until("the registry listens", async () => !(await localHost.ports.isFree(port)), 20_000);
  return {
    port,
    async stop() {
      process.kill();
      await once(process, "exit");
      fs.rmSync(folder, { recursive: true });
    },
  };
}

registryContract("real", startRegistry);
