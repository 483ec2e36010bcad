"""The spine: configuration, stages, run directory, record and command line; the only room that knows all stages."""
