"""`podlab list`: the names that other commands take."""


def list_registered() -> None:
    """List registered solvers, dispatchers, schedulers, traces, suites and presets."""
    import hardware
    import lb
    import schedulers
    import traces
    from evaluation.kinds import suite_file
    from evaluation.serving.scenario import scenario

    names = {
        "solvers": lb.available(),
        "dispatchers": lb.available_dispatchers(),
        "forecasters": lb.available_forecasters(),
        "job routers": schedulers.JOB.available(),
        "prefill routers": schedulers.PREFILL.available(),
        "decode routers": schedulers.DECODE.available(),
        "batch policies": schedulers.BATCH.available(),
        "rebalance policies": schedulers.REBALANCE.available(),
        "scenarios": scenario.available(),
        "suites": suite_file.available(),
        "traces": traces.available("routing"),
        "requests": traces.available("request"),
        **{kind: hardware.available(kind) for kind in hardware.KINDS},
    }
    for kind, registered in names.items():
        print(f"{kind + ':':20}{', '.join(registered)}")
