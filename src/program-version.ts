declare const __MRSK_VERSION__: string;

/** Of package.json; replaced while bundling, unknown when run from the sources. */
export const MRSK_VERSION: string = typeof __MRSK_VERSION__ === "undefined" ? "0.0.0-source" : __MRSK_VERSION__;
