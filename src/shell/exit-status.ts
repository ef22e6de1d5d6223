/**
 * Exit statuses of scripts with a meaning for this program. Each is unique, and differs from those of docker, curl and the
 * shell. `src/shell` uses them as constants (`$NOT_HEALTHY`).
 */
export const ExitStatus = {
  /** The image has no label `service`, or that of another service. */
  NO_LABEL: 65,
  /** The container has failed, or did not become ready in time. */
  NOT_HEALTHY: 66,
  /** Traefik has not loaded a live file. */
  NOT_LOADED: 67,
  /** The new Traefik does not start or serve. The old one serves. */
  NOT_REPLACED: 68,
  /** Another run is replacing Traefik. */
  BEING_REPLACED: 69,
  /** The host cannot run the image. */
  OTHER_ARCHITECTURE: 70,
  /** Another run has the lock. */
  LOCK_HELD: 75,
  /** The lock no longer exists. */
  LOCK_GONE: 76,
  /** The login user may not install anything. */
  NOT_ALLOWED: 77,
  /** `docker` is another program. */
  NOT_DOCKER: 78,
  /** A start-up file of the login shell has read the input ahead of the script. */
  NOT_RECEIVED: 97,
} as const;
