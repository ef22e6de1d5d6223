import type { Config } from "../config/config.ts";
import { readsVersion3 } from "./labels.ts";

/** What Traefik 3 no longer knows, and what to write instead. */
const DROPPED_FLAGS: readonly (readonly [RegExp, string])[] = [
  [/^pilot\./i, "remove it: Traefik Pilot has ended"],
  [/^hub(?:\.|$)/i, "remove it: Traefik Hub is set up otherwise"],
  [/^experimental\.http3$/i, "remove it: HTTP/3 is no longer experimental, `entrypoints.NAME.http3` is enough"],
  [/^providers\.docker\.swarmmode$/i, "use `providers.swarm`"],
  [/^providers\.docker\.tls\.caoptional$/i, "remove it"],
  [/^providers\.(?:marathon|rancher)(?:\.|$)/i, "remove it: that provider is gone"],
  [/^providers\.(consul|consulcatalog|nomad)\.namespace$/i, "use `namespaces`"],
  [/^metrics\.influxdb(?:\.|$)/i, "use `metrics.influxdb2`"],
  [/^tracing\.(?:jaeger|zipkin|datadog|instana|haystack|elastic)(?:\.|$)/i, "use `tracing.otlp`"],
  [/^tracing\.spannamelimit$/i, "remove it"],
];

const DROPPED_LABELS: readonly (readonly [RegExp, string])[] = [
  [/^traefik\.(?:http|tcp)\.middlewares\.[^.]+\.ipwhitelist\./i, "use `ipallowlist`"],
  [/\.stripprefix\.forceslash$/i, "remove it"],
  [/\.headers\.(?:sslredirect|ssltemporaryredirect|sslhost|sslforcehost)$/i, "use the `redirectscheme` middleware"],
  [/\.headers\.featurepolicy$/i, "use `permissionspolicy`"],
  [/\.forwardauth\.tls\.caoptional$/i, "remove it"],
  [/^traefik\.docker\.lbswarm$/i, "use `traefik.swarm.lbswarm`"],
];

/**
 * Settings that the configured image would not start with, or that have no effect any more: a line each, with what
 * replaces them. Nothing for an image of version 2. Rules are not among them: `roleLabels` marks those as version 2.
 */
export function version3Problems(config: Config): string[] {
  const { args, image, labels } = config.traefik;
  if (!readsVersion3(image)) return [];
  const flags = [...args.keys()].flatMap((flag) => {
    const advice = adviceFor(DROPPED_FLAGS, flag);
    return advice ? [`${image} refuses traefik.args.${flag}: ${advice}`] : [];
  });
  const owners = [
    ...config.roles.map((role) => [`role ${role.name}`, role.labels] as const),
    ["traefik", labels] as const,
  ];
  const found = owners.flatMap(([owner, ownLabels]) =>
    [...ownLabels.keys()].flatMap((label) => {
      const advice = adviceFor(DROPPED_LABELS, label);
      return advice ? [`${image} ignores or gives up the label ${label} (${owner}): ${advice}`] : [];
    }),
  );
  return [...flags, ...found];
}

function adviceFor(table: readonly (readonly [RegExp, string])[], name: string): string | undefined {
  return table.find(([pattern]) => pattern.test(name))?.[1];
}
