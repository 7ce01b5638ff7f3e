import * as z from "zod";
import { keyRotations, type RotatableKey } from "../../model/key-rotations";
import { wholeNumber } from "./pools-schema";

const rotationSchema = (key: RotatableKey) =>
  wholeNumber(1, 1_000_000)
    .optional()
    .describe(`${keyRotations[key].title}: a higher number than at the last \`up\` replaces it.`);

const filePath = z.string().refine((text) => text.trim() !== "", {
  error: "must be the path of a file",
  params: { fix: "write e.g. ./ca.crt" },
});

const authoritySchema = z
  .strictObject({
    certificate: filePath.describe(
      "File in PEM form: the authority's certificate, then that of its issuer, and so on up to the root. A root stands alone.",
    ),
    key: filePath.describe("File in PEM form with the authority's key, not encrypted, which only its owner may read."),
  })
  .optional()
  .describe(
    "The cluster's certificate authority, from files of this host, in place of one that groundplane makes. Paths begin at the project's " +
      "folder. The files are read when the stack is created.",
  );

export const secretsSchema = z
  .strictObject({
    authority: authoritySchema,
    rotate: z
      .strictObject({
        administrator: rotationSchema("administrator"),
        "ssh-user-key": rotationSchema("ssh-user-key"),
        "ssh-host-keys": rotationSchema("ssh-host-keys"),
        "etcd-ca": rotationSchema("etcd-ca"),
        "kubernetes-ca": rotationSchema("kubernetes-ca"),
        "front-proxy-ca": rotationSchema("front-proxy-ca"),
        "corosync-key": rotationSchema("corosync-key"),
        "encryption-key": rotationSchema("encryption-key"),
        "service-account-key": rotationSchema("service-account-key"),
      })
      .prefault({})
      .describe("Keys that are replaced while the stack runs."),
  })
  .prefault({});
