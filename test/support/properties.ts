import fc from "fast-check";

// Every run uses the same values, so that a failure can be repeated. FC_SEED sets others.
fc.configureGlobal({ seed: Number(process.env["FC_SEED"] ?? 20_261) });
