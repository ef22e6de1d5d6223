import { X509Certificate } from "node:crypto";
import { connect as connectPlain, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { hostPart } from "../config/names.ts";
import { SshError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";

/** For the connection and the TLS handshake together. */
const HANDSHAKE_MILLISECONDS = 10_000;

/**
 * The certificate that a host serves for a name, whoever issued it; undefined if nothing answers with TLS at the port. The
 * connection goes through SSH, so a firewall between here and the port does not matter. Where sshd forbids forwarding, it
 * goes to the host directly.
 */
export async function servedCertificate(host: Host, name: string, port: number): Promise<X509Certificate | undefined> {
  let socket: Duplex;
  try {
    socket = await host.connect(port);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    socket = connectPlain({ host: hostPart(host.name), port });
  }
  return handshake(socket, name);
}

function handshake(socket: Duplex, name: string): Promise<X509Certificate | undefined> {
  return new Promise((resolve) => {
    const end = (certificate?: X509Certificate) => {
      clearTimeout(timer);
      tls.destroy();
      socket.destroy();
      resolve(certificate);
    };
    const timer = setTimeout(end, HANDSHAKE_MILLISECONDS);
    socket.on("error", () => end());
    const servername = isIP(name) ? {} : { servername: name };
    // The caller examines the certificate.
    const tls = connectTls({ socket, rejectUnauthorized: false, ...servername }, () =>
      end(tls.getPeerX509Certificate()),
    );
    tls.on("error", () => end());
  });
}
