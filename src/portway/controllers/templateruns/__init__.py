"""Template runs: the steps of a template, durable: after a kill the run goes on at the step it was in."""
