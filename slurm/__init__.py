"""Clusters, job scripts, submission and job state. Empty so far: runs are started on one machine by `herkomst run`."""
