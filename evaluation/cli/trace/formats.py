"""`podlab trace formats`: the formats of other tools."""


def formats() -> None:
    """List the formats that podlab reads and writes."""
    from traces import formats as registry

    for kind, names in (("routing", registry.ROUTING), ("requests", registry.REQUESTS)):
        for name in sorted(names):
            module = registry.named(name)
            how = "read, written" if hasattr(module, "write") else "read"
            summary = (module.__doc__ or "").strip().splitlines()[0]
            print(f"{name:20}{kind:10}{how:15}{summary}")
