import type { Command } from "commander";
import { withRun } from "./with-run.ts";

export function addSsl(program: Command): void {
  const ssl = program.command("ssl").description("Certificates of the roles with proxy.ssl");
  ssl
    .command("status")
    .description("Show the certificate that each server serves for each name")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/certificates/status.ts")).printCertificates(run)),
    );
  ssl
    .command("renew")
    .description("Request missing certificates, and serve your own as they are now")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/certificates/secure-hosts.ts")).renewCertificates(run)),
    );
}
