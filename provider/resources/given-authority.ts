import { createPrivateKey, createPublicKey, type KeyObject, type X509Certificate } from "node:crypto";
import { readFileAndMode } from "../../host/file-store";
import type { AuthorityFiles } from "../../model/cluster-secrets-types";
import { UserError } from "../../model/user-error";
import { checkChain } from "./authority-chain";
import { type Defect, endDayOf, nameOf } from "./authority-rules";

/** An authority from files of the user, in the form of those that groundplane makes. */
export interface GivenAuthority {
  /** PEM. */
  readonly certificate: string;
  /** PEM: its issuers up to the root; empty for a root. */
  readonly issuers: string;
  /** PEM, in the form that kubeadm writes. */
  readonly key: string;
  readonly publicKey: KeyObject;
  /** For users: whose it is, by which issuer, until when. */
  readonly description: string;
}

export type ReadAuthority =
  | { readonly authority: GivenAuthority; readonly problems?: undefined }
  /** All of them, each with the key of the configuration, the file, the rule and the next step. */
  | { readonly authority?: undefined; readonly problems: readonly string[] };

type FileOf = keyof AuthorityFiles;
interface Blocks {
  readonly texts: readonly string[];
  readonly defects: readonly Defect[];
}

const beginning = (type: string): RegExp => new RegExp(`-----BEGIN ${type}-----[\\s\\S]*?-----END ${type}-----`, "g");
const certificateBlock = beginning("CERTIFICATE");
const keyBlock = beginning("(?:RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY");
const only = (...defects: readonly Defect[]): Blocks => ({ texts: [], defects });

/** Reads both files. What is wrong with one does not hide what is wrong with the other. */
export async function readAuthority(files: AuthorityFiles, nowMs = Date.now()): Promise<ReadAuthority> {
  const [inCertificate, inKey] = await Promise.all([
    readBlocks(files.certificate, certificateDefects, certificateBlock),
    readBlocks(files.key, keyDefects, keyBlock),
  ]);
  const chain = checkChain(inCertificate.texts, nowMs);
  const key = parseKey(inKey);
  const [certificate, ...issuers] = chain.certificates;
  const problems = [
    ...[...inCertificate.defects, ...chain.defects].map(describe("certificate", files)),
    ...[...inKey.defects, ...key.defects, ...unrelated(certificate, key.key)].map(describe("key", files)),
  ];
  if (problems.length > 0 || !certificate || !key.key) return { problems };
  const issuer = issuers[0] ? `issued by ${nameOf(issuers[0])}` : "a root";
  return {
    authority: {
      certificate: certificate.toString(),
      issuers: issuers.map(String).join(""),
      key: privatePem(key.key),
      publicKey: certificate.publicKey,
      description: `${nameOf(certificate)}, ${issuer}, which ends on ${endDayOf(certificate)}`,
    },
  };
}

/** @throws UserError with all problems */
export async function needAuthority(files: AuthorityFiles): Promise<GivenAuthority> {
  const { authority, problems } = await readAuthority(files);
  if (authority) return authority;
  throw new UserError("given-authority", problems.join("\n"), "repair the files of secrets.authority, and repeat");
}

const describe =
  (of: FileOf, files: AuthorityFiles) =>
  ({ rule, fix }: Defect): string =>
    `secrets.authority.${of}: ${JSON.stringify(files[of])} ${rule}; ${fix}`;

interface Found {
  readonly content: string;
  /** Four octal digits. */
  readonly mode: string;
}

async function readBlocks(
  file: string,
  defectsIn: (found: Found, blocks: readonly string[]) => readonly Defect[],
  block: RegExp,
): Promise<Blocks> {
  let found: Found | undefined;
  try {
    found = await readFileAndMode(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unknown";
    return only({ rule: `cannot be read (${reason})`, fix: "give a file that you can read" });
  }
  if (!found) return only({ rule: "does not exist", fix: "correct the path, which begins at the project's folder" });
  const texts = found.content.match(block) ?? [];
  return { texts, defects: defectsIn(found, texts) };
}

function certificateDefects({ content }: Found, blocks: readonly string[]): readonly Defect[] {
  const defects: Defect[] = [];
  if (blocks.length === 0)
    defects.push({
      rule: "contains no certificate in PEM form",
      fix: "convert it, e.g. `openssl x509 -inform der -in FILE -out ca.crt`",
    });
  if (content.search(keyBlock) >= 0)
    defects.push({ rule: "contains a private key", fix: "move it into a file of its own, and name that as `key`" });
  return defects;
}

function keyDefects({ content, mode }: Found, blocks: readonly string[]): readonly Defect[] {
  const defects: Defect[] = [];
  if (process.platform !== "win32" && !mode.endsWith("00"))
    defects.push({ rule: `can be read or changed by other users (mode ${mode})`, fix: "`chmod 600` it" });
  if (blocks.length === 0)
    defects.push({
      rule: "contains no private key in PEM form",
      fix: "convert it, e.g. `openssl pkey -inform der -in FILE -out ca.key`",
    });
  if (blocks.length > 1)
    defects.push({ rule: `contains ${blocks.length} private keys`, fix: "keep that of the authority" });
  if (/-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(content))
    defects.push({
      rule: "is encrypted",
      fix: "decrypt it: `umask 077; openssl pkey -in FILE -out ca.key`; groundplane keeps it encrypted in Pulumi's state",
    });
  return defects;
}

interface ParsedKey {
  readonly key?: KeyObject;
  readonly defects: readonly Defect[];
}

function parseKey({ texts: [text], defects }: Blocks): ParsedKey {
  if (text === undefined || defects.some(({ rule }) => rule === "is encrypted")) return { defects: [] };
  try {
    return { key: createPrivateKey(text), defects: [] };
  } catch {
    // The reason of the library could contain parts of the file.
    return {
      defects: [
        { rule: "contains a private key that cannot be read", fix: "`openssl pkey -in FILE -check -noout` tells why" },
      ],
    };
  }
}

function unrelated(certificate: X509Certificate | undefined, key: KeyObject | undefined): readonly Defect[] {
  if (!certificate || !key || isPair(certificate, key)) return [];
  return [
    { rule: `is not the key of ${nameOf(certificate)}`, fix: "give the key with which the certificate was requested" },
  ];
}

function isPair(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return createPublicKey(key).equals(certificate.publicKey);
  } catch {
    return false;
  }
}

const privatePem = (key: KeyObject): string =>
  key.export({ type: key.asymmetricKeyType === "rsa" ? "pkcs1" : "sec1", format: "pem" }) as string;
