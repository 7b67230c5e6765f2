"""ResourceTypes: their schema published as an API, bound in every workspace below, claims' controllers started."""
