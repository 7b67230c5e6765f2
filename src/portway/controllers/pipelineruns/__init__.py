"""Pipeline runs: the steps of ``.portway/pipeline.yaml`` as jobs, one after the other, then the Workload deployed."""
