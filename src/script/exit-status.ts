/**
 * Exit statuses of scripts that mean something to the program: each is used once, and none is one of docker's, curl's or
 * a shell's own. `src/shell` has them as constants (`$NOT_HEALTHY`).
 */
export const ExitStatus = {
  /** The image has no label `service`, or another service's. */
  NO_LABEL: 65,
  /** A wait ended without the answer: the container is to blame, no broken command. */
  NOT_HEALTHY: 66,
  /** Traefik has not loaded a live file. */
  NOT_LOADED: 67,
  /** The new Traefik does not start or serve; the old one does. */
  NOT_REPLACED: 68,
  /** Another run is replacing Traefik. */
  BEING_REPLACED: 69,
  /** The host cannot run the image. */
  OTHER_ARCHITECTURE: 70,
  /** Another run has the lock. */
  LOCK_HELD: 75,
  /** There is no lock any more. */
  LOCK_GONE: 76,
  /** The login user may not install anything. */
  NOT_ALLOWED: 77,
  /** Another program has the name docker. */
  NOT_DOCKER: 78,
  /** A login shell's start-up file has swallowed what was sent ahead of the script. */
  NOT_RECEIVED: 97,
} as const;
