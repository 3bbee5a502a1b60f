import fc from "fast-check";

// The same cases in every run, so that what breaks one is a change of the code. `FC_SEED=$RANDOM` tries others.
fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 1) });

export default fc;
