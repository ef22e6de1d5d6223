declare const __MRSK_VERSION__: string;

/** The version in package.json. The bundler sets it; it is unknown if the program runs from its sources. */
export const MRSK_VERSION: string = typeof __MRSK_VERSION__ === "undefined" ? "0.0.0-source" : __MRSK_VERSION__;
