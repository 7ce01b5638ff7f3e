import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "js-yaml";
import { renderKubeconfig } from "../../../components/kubeconfig";

test("the kubeconfig has the host's own port and the administrator's certificate", () => {
  const text = renderKubeconfig({
    stack: "lab",
    server: "https://127.0.0.1:20000",
    certificateAuthority: "CA\n",
    clientCertificate: "CERTIFICATE\n",
    clientKey: "KEY\n",
  });
  const base64 = (value: string) => Buffer.from(value).toString("base64");
  assert.deepEqual(load(text), {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "lab", cluster: { server: "https://127.0.0.1:20000", "certificate-authority-data": base64("CA\n") } },
    ],
    users: [
      {
        name: "lab-admin",
        user: { "client-certificate-data": base64("CERTIFICATE\n"), "client-key-data": base64("KEY\n") },
      },
    ],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "lab-admin" } }],
    "current-context": "lab",
  });
});
