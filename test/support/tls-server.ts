import { duplexPair, type Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import type { Pair } from "./certificates.ts";

/** The certificate for the name of a connection, which is empty if the client sends none. */
export type PairFor = (name: string) => Pair;

/** What `FakeHost.ports` needs for a port that answers with TLS. It makes a new connection at each call. */
export function tlsPort(pairFor: PairFor): () => Duplex {
  return () => {
    const [client, server] = duplexPair();
    const context = (name: string) => {
      const { certificate, privateKey } = pairFor(name);
      return createSecureContext({ cert: certificate, key: privateKey });
    };
    const socket = new TLSSocket(server, {
      isServer: true,
      secureContext: context(""),
      SNICallback: (name, done) => done(null, context(name)),
    });
    socket.on("error", () => {});
    return client;
  };
}
