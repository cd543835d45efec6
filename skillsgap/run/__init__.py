"""How it runs: the stages one by one, the store that keeps them, and the batch over all units."""

# one thread each: results don't depend on how many cores there are; set before anything numerical is imported
THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
