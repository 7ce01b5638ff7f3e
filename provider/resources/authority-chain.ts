import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { type Defect, defectsOf, type Link, nameOf } from "./authority-rules";

/** The certificates of a given authority, from the authority to the root. Pure. */

export interface Chain {
  /** The authority first, the root last. */
  readonly certificates: readonly X509Certificate[];
  readonly defects: readonly Defect[];
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean => {
  try {
    return certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
};
const isSelfSigned = (certificate: X509Certificate): boolean => isIssuedBy(certificate, certificate);

/** What is wrong with the order: without it, nothing else can be said about the issuers. */
function orderDefect(certificates: readonly X509Certificate[]): Defect | undefined {
  const place = certificates.findIndex((certificate, index) => {
    const next = certificates[index + 1];
    return next === undefined
      ? !isSelfSigned(certificate)
      : isSelfSigned(certificate) || !isIssuedBy(certificate, next);
  });
  const [broken, next] = [certificates[place], certificates[place + 1]];
  if (!broken) return undefined;
  if (!next) {
    const rule = `ends with ${nameOf(broken)}, which is no root`;
    return { rule, fix: "append the certificates of its issuers up to the root, in this order" };
  }
  const fix = "keep the authority's certificate, then that of its issuer, and so on up to the root";
  if (isSelfSigned(broken)) return { rule: `has certificates after the root ${nameOf(broken)}`, fix };
  return { rule: `has ${nameOf(next)} after ${nameOf(broken)}, whose issuer it is not`, fix };
}

const notCertificate: Defect = {
  rule: "contains something that is no certificate",
  fix: "keep certificates only: `openssl x509 -in FILE` prints the first one",
};

/** @param texts PEM, one certificate each */
export function checkChain(texts: readonly string[], nowMs: number): Chain {
  const parsed: (readonly [X509Certificate, x509.X509Certificate])[] = [];
  for (const text of texts) {
    try {
      parsed.push([new X509Certificate(text), new x509.X509Certificate(text)]);
    } catch {
      return { certificates: [], defects: [notCertificate] };
    }
  }
  const certificates = parsed.map(([certificate]) => certificate);
  const order = orderDefect(certificates);
  const links = (order ? parsed.slice(0, 1) : parsed).map(([certificate, other], depth): Link => {
    const name = `${depth === 0 ? "the certificate" : "the issuer"} ${nameOf(certificate) || "without a name"}`;
    const isRoot = isSelfSigned(certificate);
    return { certificate, parsed: other, depth, below: certificates[depth - 1], isRoot, name, nowMs };
  });
  const broken = links.flatMap(defectsOf);
  return { certificates, defects: [...(order ? [order] : []), ...broken] };
}
