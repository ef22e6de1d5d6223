import { isIP } from "node:net";
import * as z from "zod/mini";
import {
  lazy,
  optional,
  options,
  port,
  positiveSeconds,
  strict,
  text,
  textLike,
  variableName,
  wholeNumber,
  wholeSeconds,
} from "./schema-parts.ts";

const NAME = String.raw`(?:\*\.)?[A-Za-z0-9_](?:[\w.-]*\w)?\.?`;

const host = textLike(
  new RegExp(`^(?:${NAME})?$`),
  "should be the name of a host such as example.com or *.example.com, without https:// and without a port",
);

const hosts = textLike(
  new RegExp(`^\\s*(?:${NAME}(?:\\s*,\\s*${NAME})*)?\\s*$`),
  "should be the name of a host such as example.com or *.example.com, or several with commas, without https:// and without a port",
);

const PATH = "should be a path such as /api";

const pathPrefix = textLike(/^[^\s`,?#]*$/, PATH);

const bytes = wholeNumber(0);

const header = textLike(/^[\w-]+$/, "should be the name of a header such as X-Request-ID");

const address = z.pipe(
  text,
  z
    .string()
    .check(z.refine((written) => isIP(written) !== 0, "should be an IP address such as 192.0.2.10 or 2001:db8::1")),
);

/** Empty is no limit. */
const size = textLike(/^(?:\d+[bkmg]?)?$/i, "should be a size such as 10m");

/** The section `proxy`, at each of its places. */
export const proxy = lazy(() =>
  strict({
    host: optional(hosts),
    hosts: optional(z.array(host)),
    app_port: optional(port),
    ssl: optional(
      z.union([
        z.boolean(),
        strict({ certificate_pem: optional(variableName), private_key_pem: optional(variableName) }),
      ]),
    ),
    ssl_redirect: optional(z.boolean()),
    forward_headers: optional(z.boolean()),
    response_timeout: optional(wholeSeconds),
    path_prefix: optional(textLike(/^[^\s`?#]*(?:\s*,\s*[^\s`?#]*)*$/, `${PATH}, or several with commas`)),
    path_prefixes: optional(z.array(pathPrefix)),
    strip_path_prefix: optional(z.boolean()),
    healthcheck: optional(
      strict({
        path: optional(text),
        interval: optional(positiveSeconds),
        timeout: optional(positiveSeconds),
      }),
    ),
    buffering: optional(
      strict({
        requests: optional(z.boolean()),
        responses: optional(z.boolean()),
        max_request_body: optional(bytes),
        max_response_body: optional(bytes),
        memory: optional(bytes),
      }),
    ),
    logging: optional(
      strict({ request_headers: optional(z.array(header)), response_headers: optional(z.array(header)) }),
    ),
    run: optional(
      strict({
        http_port: optional(port),
        https_port: optional(port),
        publish: optional(z.boolean()),
        bind_ips: optional(z.array(address)),
        metrics_port: optional(port),
        debug: optional(z.boolean()),
        log_max_size: optional(size),
        registry: optional(text),
        repository: optional(text),
        version: optional(text),
        options: optional(options),
      }),
    ),
  }),
);

export type WrittenProxy = z.infer<typeof proxy>;
