import fc from "fast-check";

// The same values in every run, so that a failure can be seen again; FC_SEED tries others.
fc.configureGlobal({ seed: Number(process.env["FC_SEED"] ?? 20_261) });
