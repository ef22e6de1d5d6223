import type { Config } from "../config/config.ts";
import { readsVersion3 } from "./labels.ts";

/** Flags that Traefik 3 no longer accepts, and their replacements. */
const DROPPED_FLAGS: readonly (readonly [RegExp, string])[] = [
  [/^pilot\./i, "remove it: Traefik Pilot has ended"],
  [/^hub(?:\.|$)/i, "remove it: Traefik Hub is configured differently"],
  [/^experimental\.http3$/i, "remove it: HTTP/3 is no longer experimental, `entrypoints.NAME.http3` is enough"],
  [/^providers\.docker\.swarmmode$/i, "use `providers.swarm`"],
  [/^providers\.docker\.tls\.caoptional$/i, "remove it"],
  [/^providers\.(?:marathon|rancher)(?:\.|$)/i, "remove it: that provider no longer exists"],
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
 * Settings that the configured image refuses or ignores: one line each, with their replacement. Empty for Traefik 2. Rules
 * of version 2 are no problem: `roleLabels` sets their rule syntax.
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
      return advice ? [`${image} ignores or deprecates the label ${label} (${owner}): ${advice}`] : [];
    }),
  );
  return [...flags, ...found];
}

function adviceFor(table: readonly (readonly [RegExp, string])[], name: string): string | undefined {
  return table.find(([pattern]) => pattern.test(name))?.[1];
}
