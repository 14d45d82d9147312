"""Questions about placements, replicas, traces and fabrics, answered without a suite."""
