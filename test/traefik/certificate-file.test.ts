import { expect, test } from "vitest";
import {
  certificateFile,
  certificateFileName,
  markerPath,
  type SecuredRole,
} from "../../src/traefik/certificate-file.ts";

const role: SecuredRole = {
  name: "app-web",
  hostNames: ["a.example.com"],
  rule: "Host(`a.example.com`)",
  plainEntryPoints: ["http"],
  tlsEntryPoints: ["https"],
  peers: [],
  port: 443,
};

test("no content makes no file, which Traefik would refuse", () => {
  expect(certificateFile(role, {})).toBeUndefined();
});

test("no live file has the name, since destinations contain dots but no @", () => {
  expect(certificateFileName("app-web")).toBe("app-web@tls");
});

test("the marker answers under each name, above the other routers", () => {
  expect(markerPath("0123")).toBe("/.well-known/acme-challenge/mrsk-0123");
  expect(certificateFile({ ...role, hostNames: ["a.example.com", "b.example.com"] }, { marker: "0123" })).toBe(`http:
  routers:
    app-web-marker:
      rule: (Host(\`a.example.com\`) || Host(\`b.example.com\`)) && Path(\`/.well-known/acme-challenge/mrsk-0123\`)
      entryPoints:
        - http
      priority: 8900000000000002
      service: noop@internal
      middlewares:
        - app-web-marker
  middlewares:
    app-web-marker:
      headers:
        customResponseHeaders:
          X-Mrsk-Marker: "0123"
`);
});

test("challenges of a single host go to Traefik's own resolver", () => {
  expect(certificateFile(role, { challenges: true })).toBe(`http:
  routers:
    app-web-acme:
      rule: (Host(\`a.example.com\`)) && PathPrefix(\`/.well-known/acme-challenge/\`)
      entryPoints:
        - http
      priority: 8900000000000000
      service: app-web-acme-0
  services:
    app-web-acme-0:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:8082
`);
});

test("of several hosts each tries its own resolver, then the others in turn, and forwards no forwarded challenge", () => {
  expect(certificateFile({ ...role, peers: ["192.0.2.2", "192.0.2.3"] }, { challenges: true })).toBe(`http:
  routers:
    app-web-acme:
      rule: (Host(\`a.example.com\`)) && PathPrefix(\`/.well-known/acme-challenge/\`)
      entryPoints:
        - http
      priority: 8900000000000000
      service: app-web-acme-from-0
      middlewares:
        - app-web-acme-hop
    app-web-acme-hop:
      rule: (Host(\`a.example.com\`)) && PathPrefix(\`/.well-known/acme-challenge/\`) && Header(\`X-Mrsk-Hop\`, \`1\`)
      entryPoints:
        - http
      priority: 8900000000000001
      service: app-web-acme-0
  middlewares:
    app-web-acme-hop:
      headers:
        customRequestHeaders:
          X-Mrsk-Hop: "1"
  services:
    app-web-acme-0:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:8082
    app-web-acme-1:
      loadBalancer:
        servers:
          - url: http://192.0.2.2
        serversTransport: app-web-acme
    app-web-acme-2:
      loadBalancer:
        servers:
          - url: http://192.0.2.3
        serversTransport: app-web-acme
    app-web-acme-from-1:
      failover:
        service: app-web-acme-1
        fallback: app-web-acme-2
        errors:
          status:
            - "404"
            - 502-504
    app-web-acme-from-0:
      failover:
        service: app-web-acme-0
        fallback: app-web-acme-from-1
        errors:
          status:
            - "404"
            - 502-504
  serversTransports:
    app-web-acme:
      forwardingTimeouts:
        dialTimeout: 1s
`);
});

test("only the request's own router names the resolver", () => {
  const names = { ...role, hostNames: ["a.example.com", "b.example.com"] };
  expect(certificateFile(names, { requests: true })).toBe(`http:
  routers:
    app-web-request:
      rule: (Host(\`a.example.com\`) || Host(\`b.example.com\`)) && Path(\`/.well-known/mrsk-certificate\`)
      entryPoints:
        - https
      priority: 8900000000000000
      service: noop@internal
      tls:
        certResolver: mrsk
        domains:
          - main: a.example.com
            sans:
              - b.example.com
`);
});

test.each([
  [443, ""],
  [8443, '        port: "8443"\n'],
])("requests of the role are redirected to https at port %i", (port, line) => {
  const redirected = certificateFile(
    { ...role, rule: "Host(`a.example.com`) && Path(`/x`)", port },
    { redirects: true },
  );
  expect(redirected).toBe(`http:
  routers:
    app-web-redirect:
      rule: Host(\`a.example.com\`) && Path(\`/x\`)
      entryPoints:
        - http
      priority: 8500000000000000
      service: noop@internal
      middlewares:
        - app-web-redirect
  middlewares:
    app-web-redirect:
      redirectScheme:
        scheme: https
        permanent: true
${line}`);
});

test("a certificate of the user's is in the file itself, and a template in it is literal", () => {
  const own = { certificate: "-----BEGIN {{\n", privateKey: "key\n" };
  expect(certificateFile(role, { own })).toBe(`tls:
  certificates:
    - certFile: |
        -----BEGIN {{\`{{\`}}
      keyFile: |
        key
`);
});
